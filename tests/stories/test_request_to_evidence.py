"""Whole stories, from words on an issue to sealed evidence, and all the ways in which one is told no."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest

from runner import wiring
from runner.evidence import layout, view
from runner.ledger.bodies import Rollback, Status
from runner.plan.run import RunState
from runner.publication import markers
from runner.publication.markers import Kind
from tests.stories import runbooks
from tests.stories.world import BOB, HOME, POLICY, World, git, wait_for

CANARY = "canary-7f3a9b52c1d84e60"


def test_a_request_becomes_a_plan_an_approval_one_execution_evidence_and_a_closed_issue(world: World) -> None:
    issue = world.ask("count")
    world.reconcile()
    planned = world.run(issue)
    assert planned.state is RunState.PLANNED
    assert planned.digest in world.words(issue)
    assert world.times() == 0
    world.approve(issue)
    world.reconcile()
    run = world.run(issue)
    assert (run.state, run.outcome, world.times()) == (RunState.FINISHED, Status.SUCCEEDED, 1)
    record = world.manifest(run)
    assert (record.request.by, [one.by for one in record.approvals]) == (world.id("alice"), [world.id("bob")])
    executed = json.loads(world.evidence(layout.executed_file(run.id, 1)))
    assert executed["cells"][-1]["source"]
    assert world.evidence(layout.request_file(run.id)).decode().startswith("```runbook")
    thread = world.thread(issue)
    result = markers.find(thread, markers.of(run.id, Kind.RESULT, 1))
    assert result
    assert "succeeded" in result.body
    assert not thread.issue.open
    world.check()


def test_the_evidence_is_read_only_in_the_work_tree_and_git_sees_no_change(world: World) -> None:
    issue = world.planned()
    world.approve(issue)
    said = world.cli("alice", "reconcile", "--once")
    assert said.code == 0, said.err
    shown = world.clone("alice") / layout.executed_file(world.run(issue).id, 1)
    assert shown.stat().st_mode & 0o222 == 0
    assert git(world.clone("alice"), "status", "--short") == b""
    with world.workspace() as opened:
        assert view.refresh(opened.objects, branch="evidence") == 0, "what is there already is not written again"


def test_the_command_line_tells_the_same_story(world: World) -> None:
    as_json = () if world.on_gitlab else ("--json",)
    asked = world.cli("alice", "run", "count", f"folder={world.traces}", *as_json)
    assert asked.code == 0, asked.err
    (planned,) = world.runs()
    said = world.cli("bob", "approve", planned.digest[:12], "fine")
    assert said.code == 0, said
    assert world.times() == 1
    refused = world.cli("bob", "approve", planned.digest[:12], "once", "more")
    if world.on_gitlab:
        assert f"asked in issue {planned.plan.issue}" in asked.out
        assert f"said in issue {planned.plan.issue}" in said.out
        assert (refused.code, "its issue is closed" in refused.err) == (2, True), "nobody would hear it"
        return
    assert "too late or too early" in refusal(world, planned.plan.issue)
    (standing,) = json.loads(asked.out)["runs"]
    assert standing["next"] == f"runbook approve {planned.digest[:12]}"
    assert "finished: succeeded" in said.out
    assert refused.code == 3


def refusal(world: World, issue: str) -> str:
    """The newest thing that the runner said."""
    return [one.body for one in world.thread(issue).comments if one.ours][-1]


def test_nobody_approves_what_they_asked_for(world: World) -> None:
    issue = world.planned()
    world.approve(issue, person="alice")
    world.reconcile()
    assert "asked for it" in refusal(world, issue) or "requester" in refusal(world, issue)
    assert (world.run(issue).state, world.times()) == (RunState.PLANNED, 0)


def test_an_approval_of_another_digest_counts_for_nothing(world: World) -> None:
    issue = world.planned()
    world.say("bob", issue, f"/runbook approve {'0' * 12}")
    world.reconcile()
    assert "no plan of this issue begins with 000000000000" in refusal(world, issue)
    assert (world.run(issue).state, world.times()) == (RunState.PLANNED, 0)


def test_an_approval_by_somebody_without_a_known_key_counts_for_nothing(world: World) -> None:
    issue = world.planned()
    world.approve(issue, person="mallory")
    world.reconcile()
    assert (world.run(issue).state, world.times()) == (RunState.PLANNED, 0)
    assert len([one for one in world.thread(issue).comments if one.ours]) == 2


def test_a_request_by_somebody_without_a_known_key_is_refused_with_the_reason(world: World) -> None:
    issue = world.ask("count", person="mallory")
    world.reconcile()
    world.reconcile()
    assert world.runs() == ()
    assert [one.ours for one in world.thread(issue).comments] == [False, True], "said once"


def test_an_edited_comment_never_counts(world: World) -> None:
    issue = world.planned()
    comment = world.say("bob", issue, "I am looking at it")
    world.edit("bob", issue, comment, words=f"/runbook approve {world.run(issue).digest[:12]}")
    world.reconcile()
    assert "edited comment never counts" in refusal(world, issue)
    assert (world.run(issue).state, world.times()) == (RunState.PLANNED, 0)


def test_an_approval_that_was_edited_away_before_the_start_does_not_carry_it(world: World) -> None:
    world.commit({"runbooks/policy.toml": POLICY.replace("count = 1", "count = 2")})
    issue = world.planned()
    comment = world.approve(issue)
    world.reconcile()
    assert len(world.run(issue).approvals) == 1
    world.edit("bob", issue, comment, words="I take that back")
    world.approve(issue, person="carol")
    world.reconcile()
    assert (world.run(issue).state, world.times()) == (RunState.PLANNED, 0)


def test_an_approval_can_be_taken_back_and_given_again(world: World) -> None:
    world.commit({"runbooks/policy.toml": POLICY.replace("count = 1", "count = 2")})
    issue = world.planned()
    digest = world.run(issue).digest[:12]
    world.approve(issue)
    world.reconcile()
    world.say("bob", issue, f"/runbook revoke {digest} not now")
    world.approve(issue, person="carol")
    world.reconcile()
    run = world.run(issue)
    assert (run.state, len(run.approvals), len(run.revoked)) == (RunState.PLANNED, 1, 1)
    world.approve(issue)
    world.reconcile()
    assert (world.run(issue).outcome, world.times()) == (Status.SUCCEEDED, 1)


def test_a_rejected_plan_never_runs(world: World) -> None:
    issue = world.planned()
    world.say("bob", issue, f"/runbook reject {world.run(issue).digest[:12]} not on a Monday")
    world.approve(issue, person="carol")
    world.reconcile()
    run = world.run(issue)
    assert (run.state, run.message, world.times()) == (RunState.REJECTED, "not on a Monday", 0)
    assert "not on a Monday" in world.words(issue)
    world.check()


def test_a_plan_expires_and_cannot_be_approved_afterwards(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    issue = world.planned()
    later = wiring.now() + timedelta(hours=25)
    world.approve(issue)
    monkeypatch.setattr(wiring, "now", lambda: later)
    world.reconcile()
    assert (world.run(issue).state, world.times()) == (RunState.EXPIRED, 0)
    world.check()


def test_a_policy_that_moved_between_approval_and_start_is_the_one_that_decides(world: World) -> None:
    issue = world.planned()
    world.approve(issue)
    world.commit({"runbooks/policy.toml": POLICY.replace("count = 1", "count = 2")})
    world.reconcile()
    assert (world.run(issue).state, world.times()) == (RunState.PLANNED, 0)
    world.approve(issue, person="carol")
    world.reconcile()
    assert (world.run(issue).outcome, world.times()) == (Status.SUCCEEDED, 1)


def test_a_member_who_left_between_approval_and_start_does_not_count_any_more(world: World) -> None:
    world.commit({"runbooks/policy.toml": POLICY.replace("count = 1", "count = 2")})
    issue = world.planned()
    world.approve(issue)
    world.reconcile()
    world.leaves("bob")
    world.approve(issue, person="carol")
    world.reconcile()
    assert (world.run(issue).state, world.times()) == (RunState.PLANNED, 0)


@pytest.mark.parametrize("text", [None, "identity = 7\n", "[[rule]\n"], ids=["missing", "wrong", "no TOML"])
def test_without_a_valid_policy_nothing_is_planned_and_nothing_starts(world: World, text: str | None) -> None:
    waiting = world.planned()
    world.approve(waiting)
    world.commit({"runbooks/policy.toml": text})
    issue = world.ask("count")
    world.reconcile()
    assert (world.run(waiting).state, world.times()) == (RunState.PLANNED, 0)
    assert [one.ours for one in world.thread(issue).comments] == [False, True]
    assert "policy" in refusal(world, issue)


def test_what_was_planned_is_what_runs_however_main_moves(world: World) -> None:
    issue = world.planned()
    planned = world.run(issue)
    world.commit({"runbooks/count.ipynb": runbooks.FAIL})
    world.approve(issue)
    world.reconcile()
    run = world.run(issue)
    assert (run.outcome, world.times(), world.times("undone")) == (Status.SUCCEEDED, 1, 0)
    assert world.manifest(run).runbook.commit == planned.plan.runbook_commit


def test_two_runs_on_one_target_follow_each_other(world: World) -> None:
    first = world.started()
    wait_for(world.traces / "begun")
    second = world.planned("count")
    other = world.planned("count", host="web-2")
    for issue in (second, other):
        world.approve(issue)
    world.reconcile(wait=False)
    assert world.run(second).state is RunState.PLANNED
    assert world.run(other).state is not RunState.PLANNED, "another target waits for nobody"
    said = world.cli("alice", "status")
    assert world.run(first).id in said.out
    (world.traces / "go").touch()
    world.reconcile()
    assert [world.run(one).outcome for one in (first, second, other)] == [Status.SUCCEEDED] * 3
    assert world.times() == 3
    world.check()


def test_a_run_that_takes_long_keeps_nobody_elses_plan_back(world: World) -> None:
    first = world.planned("wait")
    world.approve(first)
    with world.start_cli("alice", "reconcile", "--once") as process:
        wait_for(world.traces / "begun")
        issue = world.ask("count", host="web-2")
        told = time.monotonic() + 60
        while len(world.thread(issue).comments) == 1:
            assert time.monotonic() < told, "nobody planned it while the other run went on"
        (world.traces / "go").touch()
        process.communicate(timeout=90)
    assert world.run(first).outcome is Status.SUCCEEDED


def test_a_run_that_fails_is_undone_and_says_so(world: World) -> None:
    issue = world.planned("fail")
    world.approve(issue)
    said = world.cli("alice", "reconcile", "--once", "--json")
    run = world.run(issue)
    assert (run.outcome, run.rollback) == (Status.FAILED, Rollback.COMPLETE)
    assert [world.times(file) for file in ("count", "undone", "always")] == [1, 1, 1]
    assert "the line is not as it should be" in world.words(issue)
    assert world.thread(issue).issue.open
    assert said.code in {0, 1}
    world.check()


def test_a_plan_whose_rehearsal_failed_is_on_record_and_cannot_be_approved(world: World) -> None:
    issue = world.planned("unready")
    world.approve(issue)
    world.reconcile()
    assert (world.run(issue).state, world.times()) == (RunState.PLANNED, 0)
    assert "rehearsal failed" in refusal(world, issue)
    assert "cannot be rehearsed" in world.words(issue)


def test_a_rehearsal_changes_nothing_and_a_world_that_moved_stops_the_run_before_its_first_change(
    world: World,
) -> None:
    state = world.traces / "state"
    state.write_text("three files")
    issue = world.planned("look")
    assert "would change three files" in world.words(issue)
    assert world.times() == 0
    state.write_text("four files")
    world.approve(issue)
    world.reconcile()
    run = world.run(issue)
    assert (run.outcome, world.times(), world.times("undone")) == (Status.FAILED, 0, 0)
    assert "four files" in world.manifest(run).result.moved


@pytest.mark.parametrize(("mode", "undone"), [("leave", 0), ("rollback", 1)])
def test_a_running_run_is_cancelled_from_the_issue(world: World, mode: str, undone: int) -> None:
    issue = world.planned("wait")
    world.approve(issue)
    with world.start_cli("alice", "reconcile", "--once") as process:
        wait_for(world.traces / "begun")
        world.say("carol", issue, f"/runbook cancel {world.run(issue).digest[:12]} --{mode} the alert fired")
        process.communicate(timeout=90)
    run = world.run(issue)
    assert (run.outcome, world.times("undone"), world.times("always")) == (Status.CANCELLED, undone, 1)
    assert run.rollback is (Rollback.COMPLETE if undone else run.rollback)
    assert world.locks() == {}
    world.check()


def test_a_planned_run_is_cancelled_by_its_requester(world: World) -> None:
    issue = world.planned()
    world.say("alice", issue, "/runbook cancel --leave never mind")
    world.reconcile()
    assert (world.run(issue).state, world.times()) == (RunState.CANCELLED, 0)
    world.check()


def test_people_are_heard_on_a_closed_issue_as_long_as_its_run_lives(world: World) -> None:
    issue = world.planned()
    world.close("alice", issue)
    world.say("bob", issue, f"/runbook reject {world.run(issue).digest[:12]} it was closed")
    world.reconcile()
    assert world.run(issue).state is RunState.REJECTED


def test_one_command_makes_one_plan_however_often_and_by_whomever_it_is_seen(world: World) -> None:
    world.planned()
    world.commit({"note.txt": "main moved"})
    world.reconcile()
    world.reconcile("bob")
    assert len(world.runs()) == 1
    issue = world.runs()[0].plan.issue
    world.ask("count", issue=issue, host="web-2")
    world.reconcile()
    assert len(world.runs()) == 2
    world.check()


def test_all_errors_of_a_request_are_told_at_once(world: World) -> None:
    issue = world.ask("count", wrong="1", hots="web-1")
    world.reconcile()
    assert all(name in refusal(world, issue) for name in ("wrong", "hots"))
    assert world.runs() == ()


def test_status_and_help_are_answered_once(world: World) -> None:
    issue = world.planned()
    world.say("bob", issue, "/runbook status")
    world.say("bob", issue, "/runbook help")
    world.reconcile()
    world.reconcile()
    ours = [one.body for one in world.thread(issue).comments if one.ours]
    assert len(ours) == 3
    assert "planned" in ours[1]
    assert "/runbook approve" in ours[2]


def test_a_repository_without_a_remote_is_a_whole_world(world: World) -> None:
    git(world.clone("alice"), "remote", "remove", "origin")
    head = git(world.remote, "rev-parse", "evidence").decode().strip()
    git(world.clone("alice"), "update-ref", "refs/heads/evidence", head)
    issue = world.planned()
    git(world.clone("alice"), "config", "user.email", BOB)
    git(world.clone("alice"), "config", "user.signingkey", str(world.folder / "bob.key.pub"))
    world.say("alice", issue, f"/runbook approve {world.run(issue).digest[:12]}")
    world.reconcile()
    assert (world.run(issue).outcome, world.times()) == (Status.SUCCEEDED, 1)
    assert git(world.clone("alice"), "status", "--short") == b""


def test_a_secret_is_in_no_git_object_and_in_no_comment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = world.state() / "lab-00000000" / "secrets"
    folder.mkdir(mode=0o700)
    file = folder / "FROM_FILE"
    file.touch(mode=0o600)
    file.write_text(CANARY + "-file\n")
    monkeypatch.setenv("RUNBOOK_SECRET_FROM_ENV", CANARY + "-env")
    issue = world.planned("secret")
    world.approve(issue)
    world.reconcile()
    run = world.run(issue)
    assert run.outcome is Status.SUCCEEDED, world.words(issue)
    assert b"got" in world.evidence(layout.executed_file(run.id, 1))
    for repository in (world.remote, world.clone("alice")):
        assert CANARY.encode() not in every_object(repository)
    assert CANARY not in world.words(issue)
    left = [path for path in world.state(HOME).rglob("*") if path.is_file() and path != file]
    assert all(CANARY.encode() not in path.read_bytes() for path in left)


def test_a_secret_that_was_pasted_into_the_request_is_not_taken_further(world: World) -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    issue = world.ask("count", host=token)
    world.reconcile()
    assert world.runs() == ()
    assert token not in refusal(world, issue)
    assert b"ghp_" not in b"".join(git(world.remote, "log", "--all", "--format=%B", "evidence").splitlines())


def test_a_rehearsal_gets_no_secret_that_policy_does_not_give(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNBOOK_SECRET_NOT_GIVEN", CANARY)
    issue = world.ask("curious")
    world.reconcile()
    assert (world.runs(), world.times()) == ((), 0)
    assert "does not give curious the secret NOT_GIVEN" in refusal(world, issue)


def every_object(repository: Path) -> bytes:
    """The content of everything that Git holds, reachable or not."""
    names = git(repository, "cat-file", "--batch-check=%(objectname)", "--batch-all-objects")
    done = subprocess.run(
        ["git", "-C", str(repository), "cat-file", "--batch"], input=names, check=True, capture_output=True
    )
    return done.stdout
