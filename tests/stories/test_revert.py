"""Stories of runs that are undone by later runs: planned, approved, and proved by the fingerprint from before."""

from __future__ import annotations

import json

from runner.evidence import layout
from runner.ledger.bodies import Rollback, Status
from runner.plan.run import RunState
from runner.publication import markers
from runner.publication.markers import Kind
from tests.stories import runbooks
from tests.stories.world import World, git, wait_for

BLUE = "blue"


def turned(world: World) -> str:
    """An issue whose run turned the state from blue to green."""
    (world.traces / "state").write_text(BLUE)
    issue = world.done("turn")
    assert (world.traces / "state").read_text() == "web-1 green"
    assert world.run(issue).outcome is Status.SUCCEEDED
    return issue


def revert(world: World, issue: str, *, run: str = "", person: str = "alice") -> None:
    world.say(person, issue, f"/runbook revert {run or world.run(issue).id} it is too green")
    world.reconcile()


def test_a_run_is_reverted_by_a_run_that_is_approved_and_proves_that_the_state_is_as_before(world: World) -> None:
    issue = turned(world)
    old = world.run(issue)
    # The runbook is another one by now; what ran is what is undone.
    world.commit({"runbooks/turn.ipynb": runbooks.COUNT})
    revert(world, issue)
    run = world.run(issue)
    assert (run.state, run.plan.revert_of, run.approvable) == (RunState.PLANNED, old.id, True)
    plan = markers.find(world.thread(issue), markers.of(run.id, Kind.PLAN, 1))
    assert plan
    for words in (
        f"This undoes run** `{old.id}`",
        "in this order: `dry`, `paint`",
        "`it is web-1 green`",
        "`Revert: Turn`",
    ):
        assert words in plan.body, plan.body
    assert (world.traces / "state").read_text() == "web-1 green", "nothing is undone before it is approved"
    world.approve(issue)
    world.reconcile()
    run = world.run(issue)
    assert (run.state, run.outcome) == (RunState.FINISHED, Status.SUCCEEDED)
    assert (world.traces / "state").read_text() == BLUE
    assert world.times("undone") == 1
    record = world.manifest(run)
    assert (record.reverts, record.result.restored, record.result.rollback) == (old.id, True, Rollback.NOT_NEEDED)
    assert [cell.name for cell in record.result.cells if cell.role == "rollback"] == ["wet", "paint-back"]
    assert (
        f"reverts `{old.id}`: the plan cells show what they showed"
        in world.evidence(layout.summary_file(run.id, 1)).decode()
    )
    assert "The state is what it was before that run" in world.words(issue)
    log = git(world.remote, "log", "-1", "--format=%(trailers:key=Runbook-Revert-Of,valueonly)", "evidence").decode()
    assert log.strip() == old.id
    assert world.cli("alice", "verify").code == 0
    revert(world, issue, run=old.id)
    assert f"run {run.id} has reverted it" in world.words(issue)
    revert(world, issue, run=run.id)
    assert f"it is itself the revert of {old.id}" in world.words(issue)
    world.check()


def test_a_revert_that_does_not_restore_the_state_fails_and_shows_what_is_different(world: World) -> None:
    before = turned(world)
    old = world.run(before)
    (world.traces / "drip").write_text("ish")
    issue = world.open_issue("alice", "It is too green", "Blue was better.")
    said = world.cli("alice", "revert", old.id, "too", "green", "--issue", issue, "--json")
    assert said.code == 0, said.err
    (planned,) = json.loads(said.out)["runs"]
    assert planned["state"] == "planned"
    assert f"\n- related: #{before}\n" in world.words(issue), "the issue of the run that it undoes"
    world.approve(issue)
    world.reconcile()
    run = world.run(issue)
    record = world.manifest(run)
    assert (record.result.exit_reason, record.result.restored) == ("not_restored", False)
    assert "-it is blue\n+it is blueish" in record.result.moved
    assert "After the revert the state is not what it was before" in world.words(issue)
    assert "+it is blueish" in world.words(issue)
    assert world.cli("alice", "verify").code == 0
    revert(world, issue, run=old.id)
    assert "has begun to revert it and is finished" in world.words(issue)
    world.check()


def test_what_cannot_be_reverted_is_refused_when_it_is_asked_for_and_every_step_is_named(world: World) -> None:
    issue = world.done("count")
    counted = world.run(issue)
    again = world.ask("count", host="web-2")
    before = len(world.events())
    revert(world, again, run=counted.id)
    assert "the runbook is irreversible: a line is a line" in world.words(again)
    revert(world, again, run=world.run(again).id)
    assert "only a run that has ended is reverted" in world.words(again)
    revert(world, again, run="20261123T023028Z-nothing-7k3q2x2m")
    assert "there is no such run" in world.words(again)
    revert(world, again, run=counted.id, person="mallory")
    assert len([event for event in world.events() if event.type == "plan"]) == 2
    assert len(world.events()) == before + 1, "nothing but the plan of the second run was put on record"


def test_a_run_that_was_cancelled_and_left_is_reverted_once_and_not_resumed_meanwhile(world: World) -> None:
    issue = world.started("wait")
    wait_for(world.traces / "begun")
    world.say("carol", issue, f"/runbook cancel {world.run(issue).id} --leave the alert fired")
    world.reconcile()
    old = world.run(issue)
    assert (old.outcome, old.rollback) == (Status.CANCELLED, Rollback.NOT_NEEDED)
    record = world.manifest(old)
    assert record.result.cancelled
    assert (record.result.cancelled.by, record.result.cancelled.mode) == (world.id("carol"), "leave")
    assert f"Cancelled by `{world.id('carol')}`: `the alert fired`" in world.words(issue)
    revert(world, issue)
    run = world.run(issue)
    assert run.plan.revert_of == old.id
    assert "nothing can show whether the state is as it was before" in world.words(issue)
    revert(world, issue, run=old.id)
    assert f"run {run.id} reverts it already, and is planned" in world.words(issue)
    world.say("alice", issue, f"/runbook resume {old.id}")
    world.approve(issue)
    world.reconcile()
    assert world.words(issue).count(f"run {run.id} reverts it already") == 2
    run = world.run(issue)
    assert (run.outcome, world.times("undone"), world.manifest(run).result.restored) == (Status.SUCCEEDED, 1, None)
    assert world.cli("alice", "verify").code == 0
    world.check()
