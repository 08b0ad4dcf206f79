"""The kill switch at a desk: it is on record once, whoever looks, and its author is told."""

from __future__ import annotations

import time

from runner.ledger.bodies import Halt
from runner.supervisor.halting import throw
from tests.stories.world import World
from tests.supervisor.desks import desk_in, seen


def test_a_halt_is_recorded_once_for_each_comment(world: World) -> None:
    issue = world.ask("count")
    world.say("carol", issue, "/runbook halt smoke")
    with desk_in(world) as desk:
        body = seen(desk).switch
        assert isinstance(body, Halt)
        assert (body.issue, body.reason) == (issue, "smoke")
        assert throw(desk, body)
        assert not throw(desk, body)
        assert desk.halt
        assert desk.halt.body == body
    with desk_in(world) as desk:
        snapshot = seen(desk)
    assert snapshot.switch is None
    assert ["carol@example.org halted everything" in one.body for one in snapshot.unheard] == [True]


def test_an_unhalt_of_a_halt_that_is_not_in_force_any_more_comes_to_nothing(world: World) -> None:
    issue = world.ask("count")
    world.say("carol", issue, "/runbook halt smoke")
    world.reconcile()
    # Comments know the second alone: one of the halt's own second cannot be told to be later, and does not count.
    time.sleep(1.0)
    world.say("carol", issue, "/runbook unhalt")
    with desk_in(world) as desk:
        lifting = seen(desk).switch
        assert lifting
        world.say("carol", issue, "/runbook halt fire")
        world.reconcile("bob")
        assert not throw(desk, lifting), "the first reconcile recorded both, and the newer halt stays"
    assert [event.type for event in world.events()] == ["genesis", "halt", "plan", "unhalt", "halt"]
