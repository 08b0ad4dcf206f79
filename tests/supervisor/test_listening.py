"""Listening: every word of people ends on record, in an answer, or was never a command."""

from __future__ import annotations

from runner.approval.collect import commands_of
from runner.ledger.bodies import Approve
from runner.publication import markers
from runner.supervisor.listening import VERBS, heard_on
from tests.stories.world import World
from tests.supervisor.desks import desk_in, seen


def test_an_approval_is_heard_and_a_wish_of_the_wrong_person_is_answered(world: World) -> None:
    issue = world.planned()
    world.say("bob", issue, "I like it\n\n> /runbook reject 000000000000 quoted\n")
    world.approve(issue)
    world.approve(issue, person="alice")
    with desk_in(world) as desk:
        snapshot = seen(desk)
    assert [type(one.body) for one in snapshot.heard] == [Approve]
    assert len(snapshot.unheard) == 1


def test_what_was_answered_is_not_answered_again(world: World) -> None:
    issue = world.planned()
    world.say("bob", issue, "/runbook help")
    with desk_in(world) as desk:
        snapshot = seen(desk)
        (one,) = snapshot.unheard
        found = commands_of(one.thread, bot="runbook")
        again = heard_on(desk, one.thread, snapshot.runs, found=found, answered=frozenset({one.key}))
    assert again == ([], [])
    assert one.body.rstrip().endswith(markers.reply(one.key))
    assert all(words.split()[1] in one.body for words, _ in VERBS)


def test_a_command_that_cannot_be_read_is_answered_once_with_what_to_try(world: World) -> None:
    issue = world.planned()
    world.say("bob", issue, "/runbook aprove 000000000000")
    world.reconcile()
    world.reconcile()
    comments = [one.body for one in world.thread(issue).comments if one.ours]
    assert len(comments) == 2
    assert "/runbook help" in comments[-1]
