"""Kill -9 at every point between two effects of a question and of its answer: one of each, told once, brought whole.

The worker that waits is real until it has asked. Then this process takes its place in the claim: the story needs a
worker that lives and waits, and no kernel for each of its repetitions.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.digest import canonical, parse
from runner.execution import transcript
from runner.execution.asking import PAYLOAD_TYPE, Given, file_of
from runner.ledger.envelope import open_envelope
from runner.ports.claim import NAME as CLAIMED
from runner.ports.claim import Claim, of_process
from tests.stories import world as worlds
from tests.stories.questions import asking_world
from tests.stories.test_kill_anywhere import MOST, killed, kinds
from tests.stories.test_questions import questions_told
from tests.stories.world import BOB, World, wait_for

pytestmark = pytest.mark.no_cover
"""What goes on after a kill is told, and measured, where nobody is killed."""
WHEN = pytest.mark.parametrize(("again", "when"), [("alice", "before"), ("bob", "after")])
ISSUE = "1"


@pytest.fixture(scope="module")
def waiting(founded: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which a worker waits for an answer to what nobody has put on record yet."""
    world = asking_world(worlds.copied(founded, tmp_path_factory.mktemp("waiting") / "w"))
    spool = world.spool(world.started("confirm"))
    file = spool / transcript.NAME
    wait_for(file)
    deadline = time.monotonic() + 60
    while transcript.question(file.read_bytes()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(parse(Claim, (spool / CLAIMED).read_bytes()).pid, signal.SIGKILL)
    # The guardian tidies up after the worker: a copy that is made meanwhile would miss what goes.
    wait_for(spool / "private", there=False)
    mine = of_process()
    assert mine
    (spool / CLAIMED).write_bytes(canonical(mine))
    return world


@pytest.fixture(scope="module")
def answered(waiting: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same, where the question stands on the issue and somebody has just answered it."""
    world = worlds.copied(waiting, tmp_path_factory.mktemp("answered") / "w")
    world.reconcile(wait=False)
    world.say("bob", ISSUE, "/runbook answer yes it is")
    return world


def repeated(template: World, folder: Path, *, when: str) -> Iterator[World]:
    """Copies of a world in which the supervisor was killed at its first effect, at its second, and so on."""
    for number in range(1, MOST):
        shutil.rmtree(folder, ignore_errors=True)
        world = worlds.copied(template, folder)
        on_the_way = killed(world, number, when=when, more=("--no-wait",))
        yield world
        if not on_the_way:
            return
    pytest.fail("it never got through")


@WHEN
def test_killed_while_asking_the_question_is_on_record_and_on_the_issue_once(
    waiting: World, tmp_path: Path, *, again: str, when: str
) -> None:
    for world in repeated(waiting, tmp_path / "w", when=when):
        world.reconcile(again, wait=False)
        assert kinds(world) == ["genesis", "plan", "approve", "start", "question"]
        assert len(questions_told(world, ISSUE)) == 1
        assert world.thread(ISSUE).issue.labels == {"runbook::waiting"}
        assert world.times() == 1


@WHEN
def test_killed_while_answering_the_answer_is_on_record_once_and_reaches_the_worker_whole(
    answered: World, tmp_path: Path, *, again: str, when: str
) -> None:
    for world in repeated(answered, tmp_path / "w", when=when):
        world.reconcile(again, wait=False)
        assert kinds(world) == ["genesis", "plan", "approve", "start", "question", "answer"]
        assert len(questions_told(world, ISSUE)) == 1
        run, spool = world.run(ISSUE), world.spool(ISSUE)
        keys = (spool / "trusted_keys").read_text().splitlines()
        brought = (spool / file_of(1)).read_bytes()
        given = parse(Given, open_envelope(brought, keys=keys, payload_type=PAYLOAD_TYPE))
        assert (given.run, given.ordinal, given.value, given.by) == (run.id, 1, True, BOB)
        assert given.event == run.answers[0].seq
        assert world.thread(ISSUE).issue.labels == {"runbook::started"}
