"""Putting things on record: judged on the state that it is built on, once for each comment."""

from __future__ import annotations

from runner.ledger.bodies import Approve, Expire
from runner.ledger.chain import Draft
from runner.ledger.state import State
from runner.plan.run import Run, RunState
from runner.supervisor import record
from tests.builders import some_words
from tests.stories.world import BOB, World
from tests.supervisor.desks import desk_in, known_in


def test_what_somebody_said_is_recorded_once(world: World) -> None:
    world.planned()
    with desk_in(world) as desk:
        known = known_in(desk)
        body = Approve(plan_digest=known.run.digest, said=some_words(BOB, "1/9"))
        said = [
            record.heard(desk.ledger, known.run, body, plan=known.plan, writer=desk.writer, now=desk.now)
            for _ in range(2)
        ]
        assert said == [True, False]
        assert len(record.current(desk.ledger, known.run.id).approvals) == 1


def test_what_may_not_come_any_more_on_the_newest_state_does_not_come(world: World) -> None:
    issue = world.planned()
    with desk_in(world) as desk:
        known = known_in(desk)
        world.say("bob", issue, f"/runbook reject {known.run.digest[:12]} no")
        world.reconcile()

        def draft(fresh: Run, _state: State) -> Draft:
            assert fresh.state is not RunState.STARTED
            return Draft(body=Expire(plan_digest=fresh.digest), run=fresh.id, title="expire")

        assert record.append(desk.ledger, known.run, draft, writer=desk.writer, now=desk.now) == ()
    assert world.run(issue).state is RunState.REJECTED


def test_a_draft_that_declines_adds_nothing(world: World) -> None:
    world.planned()
    with desk_in(world) as desk:
        run = known_in(desk).run
        assert record.append(desk.ledger, run, lambda *_: None, writer=desk.writer, now=desk.now) == ()
