"""A run that has started and waits at a question, without a worker: for tests of what the supervisor does about it."""

from __future__ import annotations

from dataclasses import replace

from runner.execution.transcript import Asked
from runner.ledger.bodies import QuestionKind
from runner.ports.executor import WorkState
from runner.snapshot import Known
from runner.supervisor import record, running
from runner.supervisor.desk import Desk
from tests.stories.questions import asking_world
from tests.stories.world import World
from tests.supervisor.desks import known_in, seen

ASKED = Asked(
    ordinal=1,
    kind=QuestionKind.ASK,
    cell="c2",
    step="sized",
    text="How many at once?",
    parameter="batch",
    accepted="a whole number",
    schema={"type": "object"},
    until="2999-01-01T00:00:00.000Z",
)


def started(world: World) -> str:
    """An issue whose run may start and asks for a value."""
    issue = asking_world(world).planned("ask")
    world.approve(issue)
    return issue


def waiting(desk: Desk, *, asked: Asked = ASKED) -> Known:
    """That run, started, with a worker that waits."""
    for heard in seen(desk).heard:
        record.heard(desk.ledger, heard.run, heard.body, plan=heard.plan, writer=desk.writer, now=desk.now)
    running.start(desk, known_in(desk))
    return known_now(desk, asked=asked)


def known_now(desk: Desk, *, asked: Asked = ASKED) -> Known:
    """The run as it is on record now."""
    return replace(known_in(desk), asked=asked, work=WorkState.RUNNING)
