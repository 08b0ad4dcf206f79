"""Halt: everything that waits stays where it is, through kills and other machines, until somebody lifts it."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from runner.ledger.bodies import Status
from runner.plan.run import RunState
from runner.supervisor import running
from tests.stories import world as worlds
from tests.stories.test_kill_anywhere import killed, kinds
from tests.stories.world import World, wait_for
from tests.supervisor.desks import desk_in, known_in
from tests.supervisor.test_running import record_words


def test_nothing_starts_while_everything_is_halted_and_what_waited_starts_in_order_when_it_is_lifted(
    world: World,
) -> None:
    first, second = world.planned("count"), world.planned("count", host="web-2")
    world.say("carol", second, "/runbook halt the network is not itself")
    for issue in (first, second):
        world.approve(issue)
    world.reconcile()
    assert world.times() == 0
    assert f"{world.id('carol')} halted everything" in world.words(second)
    assert "halted" in world.cli("bob", "status").out
    world.say("bob", first, "/runbook status")
    world.say("bob", first, "/runbook unhalt I am in a hurry")
    world.reconcile("bob")
    assert "policy lets @oncall halt" in world.words(first)
    assert "nothing starts" in world.words(first)
    assert world.times() == 0
    world.say("carol", first, "/runbook unhalt it is itself again")
    world.reconcile()
    assert world.times() == 2
    assert kinds(world) == [
        *("genesis", "plan", "plan", "halt", "approve", "approve", "unhalt", "start", "start", "finish", "finish")
    ]
    assert [run.outcome for run in world.runs()] == [Status.SUCCEEDED] * 2
    world.check()


def test_a_halt_in_the_same_breath_as_an_approval_wins(world: World) -> None:
    issue = world.planned("count")
    world.approve(issue)
    world.say("carol", issue, "/runbook halt stop, all of you")
    world.reconcile()
    assert kinds(world) == ["genesis", "plan", "halt", "approve"]
    assert world.run(issue).state is RunState.PLANNED


def test_a_halt_on_another_issue_is_heard_by_whoever_looks_at_one_issue_only(world: World) -> None:
    issue, other = world.planned("count"), world.ask("count", host="web-2")
    world.say("carol", other, "/runbook halt smoke")
    said = world.cli("bob", "approve", world.run(issue).digest[:12], "--json")
    assert said.code == 0, said.err
    (live,) = json.loads(said.out)["runs"]
    assert "somebody who lifts the halt (event 3)" in live["waits_for"]
    assert kinds(world) == ["genesis", "plan", "approve", "halt"]


def test_what_runs_goes_on_to_its_end(world: World) -> None:
    issue = world.started("wait")
    wait_for(world.traces / "begun")
    world.say("carol", issue, "/runbook halt fire")
    (world.traces / "go").touch()
    world.reconcile()
    assert world.run(issue).outcome is Status.SUCCEEDED
    world.check()


def test_a_start_that_no_worker_has_taken_yet_waits_for_the_end_of_the_halt(world: World) -> None:
    issue = world.planned("count")
    world.approve(issue)
    with desk_in(world) as desk:
        record_words(desk)
        # Whoever put the start on record was killed before handing it over.
        assert running.start(desk, known_in(desk))
    world.say("carol", issue, "/runbook halt fire")
    world.reconcile()
    assert (world.run(issue).state, world.times()) == (RunState.STARTED, 0)
    # Comments know the second alone: one of the halt's own second cannot be told to be later, and does not count.
    time.sleep(1.0)
    world.say("carol", issue, "/runbook unhalt")
    world.reconcile()
    assert (world.run(issue).outcome, world.times()) == (Status.SUCCEEDED, 1)
    world.check()


def test_halt_and_unhalt_from_the_command_line_open_an_issue_of_their_own(world: World) -> None:
    said = world.cli("carol", "halt", "smoke", "in", "the", "server", "room", "--json")
    assert said.code == 0, said.err
    value = json.loads(said.out)
    assert world.thread(value["issue"]).issue.title == "Halt smoke in the server room"
    refused = world.cli("bob", "unhalt")
    lifted = world.cli("carol", "unhalt", "it was toast", "--issue", value["issue"])
    if world.on_gitlab:
        told = world.words("2"), world.words(value["issue"])
    else:
        assert (value["halted"], value["refused"]) == (1, "")
        assert (refused.code, lifted.code) == (2, 0)
        told = refused.out, lifted.out
    assert "policy lets @oncall halt" in told[0]
    assert "possible again" in told[1]
    assert kinds(world) == ["genesis", "halt", "unhalt"]


def test_killed_at_any_point_a_halt_is_on_record_once_its_author_is_told_once_and_nothing_starts(
    founded: World, tmp_path: Path
) -> None:
    ready = worlds.copied(founded, tmp_path / "ready")
    issue = ready.planned("count")
    ready.approve(issue)
    ready.say("carol", issue, "/runbook halt smoke")
    for number in range(1, 20):
        shutil.rmtree(tmp_path / "w", ignore_errors=True)
        world = worlds.copied(ready, tmp_path / "w")
        # To be killed after one effect is to be killed before the next.
        on_the_way = killed(world, number, when="after")
        world.reconcile("bob")
        assert kinds(world) == ["genesis", "plan", "halt", "approve"]
        assert world.words(issue).count("halted everything") == 1
        assert world.times() == 0
        world.check()
        if not on_the_way:
            return
    pytest.fail("it never got through")
