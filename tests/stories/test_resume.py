"""Stories of runs that go on: nothing that was done is done again, and whoever wants what cannot be is told why."""

from __future__ import annotations

import os
import signal

import pytest

from runner.digest import parse
from runner.execution.outcome import Fate
from runner.ledger.bodies import Resume, Rollback, Start, Status
from runner.plan.run import RunState
from runner.ports.claim import Claim
from runner.publication import markers
from runner.publication.markers import Kind
from tests.stories import runbooks
from tests.stories.world import POLICY, World, wait_for

SAME = POLICY + 'resume = "same-approval"\n'


def resume(world: World, issue: str, *, person: str = "alice", reason: str = "there is room again") -> None:
    world.say(person, issue, f"/runbook resume {world.run(issue).id} {reason}")


def failed(world: World, runbook: str = "steps") -> str:
    """An issue whose run failed at its third step."""
    issue = world.done(runbook)
    assert world.run(issue).outcome is Status.FAILED
    return issue


def test_after_the_outside_cause_is_fixed_it_goes_on_with_new_approvals_and_repeats_no_change(world: World) -> None:
    issue = failed(world)
    run = world.run(issue)
    assert run.rollback is Rollback.NOT_POSSIBLE
    assert f"/runbook resume {run.id}" in world.words(issue)
    (world.traces / "fixed").touch()
    resume(world, issue)
    world.reconcile()
    waiting = world.run(issue)
    assert (waiting.state, waiting.attempt, waiting.approvals) == (RunState.PLANNED, 2, ())
    again = markers.find(world.thread(issue), markers.of(run.id, Kind.PLAN, 2))
    assert again
    assert "attempt 2" in again.body
    assert "not repeated: `one` (attempt 1), `two` (attempt 1)" in again.body
    assert "runs again:** `three`" in again.body
    assert "`there is room again`" in again.body
    assert world.thread(issue).issue.labels == {"runbook::planned"}
    world.approve(issue)
    world.reconcile()
    run = world.run(issue)
    assert (run.state, run.outcome, run.attempt) == (RunState.FINISHED, Status.SUCCEEDED, 2)
    assert [world.times(step) for step in ("one", "two", "tried", "three")] == [1, 1, 2, 1]
    record = world.manifest(run)
    assert {cell.name: cell.fate for cell in record.result.cells if cell.role == "change"} == {
        "one": Fate.SKIPPED,
        "two": Fate.SKIPPED,
        "three": Fate.OK,
    }
    assert record.result.records == {"first": {"made by": "one"}}
    assert record.previous
    assert (record.previous.attempt, set(record.previous.done.values())) == (1, {1})
    assert [one.by for one in record.approvals] == [world.id("bob")]
    said = world.cli("alice", "verify")
    assert said.code == 0, said.out
    world.check()


def test_where_policy_says_the_same_approval_is_enough_it_goes_on_by_itself(world: World) -> None:
    world.commit({"runbooks/policy.toml": SAME})
    issue = failed(world)
    (world.traces / "fixed").touch()
    resume(world, issue)
    world.reconcile()
    run = world.run(issue)
    assert (run.outcome, run.attempt) == (Status.SUCCEEDED, 2)
    starts = [event.body for event in world.events() if isinstance(event.body, Start)]
    assert starts[0].approvals == starts[1].approvals
    assert world.cli("alice", "verify").code == 0
    world.check()


def test_a_policy_that_became_stricter_in_between_holds_for_the_next_attempt(world: World) -> None:
    world.commit({"runbooks/policy.toml": SAME})
    issue = failed(world)
    resume(world, issue)
    world.commit({"runbooks/policy.toml": POLICY})
    world.reconcile()
    run = world.run(issue)
    assert (run.state, run.attempt) == (RunState.PLANNED, 2)
    assert "needs 1 more" in world.cli("alice", "status").out
    world.check()


def test_an_attempt_may_fail_again_and_a_third_one_knows_what_both_did(world: World) -> None:
    world.commit({"runbooks/policy.toml": SAME})
    issue = failed(world)
    resume(world, issue)
    world.reconcile()
    assert (world.run(issue).outcome, world.times("tried")) == (Status.FAILED, 2)
    (world.traces / "fixed").touch()
    resume(world, issue)
    world.reconcile()
    run = world.run(issue)
    assert (run.outcome, run.attempt) == (Status.SUCCEEDED, 3)
    assert [world.times(step) for step in ("one", "two", "tried")] == [1, 1, 3]
    assert world.cli("alice", "verify").code == 0
    world.check()


def test_a_run_that_was_undone_starts_over_when_it_is_resumed(world: World) -> None:
    world.commit({"runbooks/policy.toml": SAME})
    issue = failed(world, "fail")
    assert world.run(issue).rollback is Rollback.COMPLETE
    resume(world, issue)
    world.reconcile()
    assert (world.times("count"), world.times("undone")) == (2, 2)
    assert world.manifest(world.run(issue)).previous.done == {}  # type: ignore[union-attr] # attempt 2 has one
    assert world.cli("alice", "verify").code == 0


def test_a_lost_run_that_was_resolved_goes_on_from_what_its_transcript_proves(world: World) -> None:
    world.commit({"runbooks/policy.toml": SAME, "runbooks/two.ipynb": runbooks.TWO})
    issue = world.started("two")
    wait_for(world.traces / "begun")
    worker = parse(Claim, (world.spool(issue) / "claimed").read_bytes()).pid
    os.kill(worker, signal.SIGKILL)
    world.reconcile()
    assert world.run(issue).state is RunState.INTERRUPTED
    resume(world, issue)
    world.reconcile()
    assert "is interrupted, too late or too early" in world.words(issue)
    world.say("carol", issue, f"/runbook resolve {world.run(issue).id} partially_applied the first line is there")
    (world.traces / "go").touch()
    resume(world, issue)
    world.reconcile()
    run = world.run(issue)
    assert (run.outcome, run.attempt) == (Status.SUCCEEDED, 2)
    assert (world.times("first"), world.times("count")) == (1, 2)
    assert world.manifest(run).result.records == {"number": 7}
    assert world.cli("alice", "verify").code == 0
    world.check()


def refused(world: World, issue: str, why: str, *, person: str = "alice") -> None:
    before = len(world.events())
    resume(world, issue, person=person)
    world.reconcile()
    assert why in world.words(issue), world.words(issue)
    assert len(world.events()) == before, "nothing started and nothing was put on record"


def test_what_cannot_be_resumed_is_refused_with_its_reason(world: World) -> None:
    done = world.done("count", host="web-9")
    world.say("alice", done, f"/runbook resume {world.run(done).id}")
    issue = failed(world)
    refused(world, issue, f"{world.id('mallory')} is not a member of this project", person="mallory")
    world.commit({"runbooks/steps.ipynb": runbooks.COUNT})
    refused(world, issue, "runbooks/steps.ipynb was changed since the plan")
    world.commit({"runbooks/steps.ipynb": None})
    refused(world, issue, "its runbook cannot be read any more (there is no runbook of that name)")


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ((("change", "pass"), ("rollback", "1 / 0"), ("verify", "1 / 0")), "its rollback is failed"),
        ((("change", "pass"), ("rollback", "pass"), ("always", "1 / 0")), "nothing is left to do"),
        ((("change", "raise SystemExit(0)"), ("rollback", "pass")), ""),
    ],
    ids=["rollback failed", "nothing left", "resumable"],
)
def test_a_run_whose_end_leaves_nothing_to_go_on_with_is_not_resumed(
    world: World, cells: tuple[tuple[str, str], ...], why: str
) -> None:
    world.commit({"runbooks/odd.ipynb": runbooks.made(*cells, title="Odd")})
    issue = failed(world, "odd")
    if why:
        refused(world, issue, why)
    else:
        resume(world, issue)
        world.reconcile()
        assert world.run(issue).state is RunState.PLANNED
    assert sum(isinstance(event.body, Resume) for event in world.events()) == (not why)
