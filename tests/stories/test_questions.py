"""A run asks in the middle of it: on the issue, on record, once; and goes on, or not, as somebody allowed answers."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from runner.evidence import layout
from runner.execution import transcript
from runner.ledger.bodies import Answer, Question, QuestionKind, Rollback, Status
from runner.plan.run import Run, RunState
from tests.stories.questions import ANSWERING, asking_world
from tests.stories.world import POLICY, World, wait_for

THEN = 60.0
"""Seconds that a real worker may take to come to its question, or to its end."""


@pytest.fixture
def asking(world: World) -> World:
    return asking_world(world)


def at_its_question(world: World, runbook: str = "confirm", *, ordinal: int = 1) -> str:
    """An issue whose run waits at its question, which is on record and on the issue."""
    issue = world.started(runbook)
    reconciled_until(world, issue, lambda run: len(run.questions) == ordinal)
    world.reconcile(wait=False)
    return issue


def reconciled_until(world: World, issue: str, true: Callable[[Run], bool], *, person: str = "alice") -> Run:
    """Reconcile without waiting for workers until something is true of the issue's run."""
    deadline = time.monotonic() + THEN
    while True:
        world.reconcile(person, wait=False)
        run = world.run(issue)
        if true(run):
            return run
        assert time.monotonic() < deadline, f"it is still {run.state}"
        time.sleep(0.1)


def over(run: Run) -> bool:
    return run.over


def questions_told(world: World, issue: str) -> list[str]:
    return [one.body for one in world.thread(issue).comments if one.ours and "**Question " in one.body]


def refusals(world: World, issue: str) -> list[str]:
    return [one.body for one in world.thread(issue).comments if one.ours and "was not carried out" in one.body]


def test_a_yes_lets_it_go_on_and_who_said_so_is_on_record_in_the_evidence_and_on_the_issue(asking: World) -> None:
    issue = at_its_question(asking)
    run = asking.run(issue)
    question = run.question
    assert question
    assert isinstance(question.body, Question)
    assert (question.body.kind, question.body.text) == (QuestionKind.CONFIRM, "Traffic drained?")
    assert asking.thread(issue).issue.labels == {"runbook::waiting"}
    (told,) = questions_told(asking, issue)
    assert all(
        words in told for words in ("Traffic drained?", "go-on", f"/runbook answer {run.id} q1 yes", asking.id("bob"))
    )
    assert asking.times() == 1, "the cell behind the question has not begun"
    asking.say("bob", issue, "/runbook answer yes the graphs are flat")
    done = reconciled_until(asking, issue, over)
    assert (done.outcome, done.message) == (Status.SUCCEEDED, "")
    answer = next(event.body for event in asking.events() if isinstance(event.body, Answer))
    assert (answer.said.by, answer.value, answer.reason) == (asking.id("bob"), True, "the graphs are flat")
    (kept,) = asking.manifest(done).result.answers
    assert (kept.by, kept.value, kept.asked_by) == (asking.id("bob"), True, "c4")
    assert asking.times() == 2
    assert len(questions_told(asking, issue)) == 1
    assert asking.thread(issue).issue.labels == {"runbook::succeeded"}
    asking.check()


def test_a_no_ends_it_and_what_it_changed_is_undone(asking: World) -> None:
    issue = at_its_question(asking)
    asking.say("carol", issue, "/runbook answer no still busy")
    run = reconciled_until(asking, issue, over)
    assert (run.state, run.outcome, run.rollback) == (RunState.FINISHED, Status.FAILED, Rollback.COMPLETE)
    assert run.message == f"{asking.id('carol')} said no: Traffic drained?"
    assert asking.manifest(run).result.exit_reason == "declined"
    assert (asking.times(), asking.times("undone"), asking.times("always")) == (1, 1, 1)
    assert "declined" in asking.words(issue)


def test_nobody_in_time_ends_it_and_a_late_answer_is_refused(world: World) -> None:
    asking = asking_world(world, within="3s")
    issue = asking.started("confirm")
    run = reconciled_until(asking, issue, over)
    assert (run.outcome, run.rollback) == (Status.FAILED, Rollback.COMPLETE)
    assert asking.manifest(run).result.exit_reason == "unanswered"
    assert "nobody answered in time" in run.message
    asking.say("bob", issue, f"/runbook answer {run.id} yes")
    asking.reconcile(wait=False)
    assert "too late or too early" in refusals(asking, issue)[-1]


def test_a_typed_answer_is_the_value_of_later_cells_and_recorded(asking: World) -> None:
    issue = at_its_question(asking, "ask")
    (told,) = questions_told(asking, issue)
    assert "How many at once?" in told
    assert "50" in told
    asking.say("bob", issue, "/runbook answer 51")
    asking.reconcile(wait=False)
    (refused,) = refusals(asking, issue)
    assert "batch = 51" in refused
    assert "accepted" in refused
    asking.say("bob", issue, "/runbook answer 25")
    run = reconciled_until(asking, issue, over)
    assert run.outcome is Status.SUCCEEDED
    assert (asking.traces / "seen").read_text() == "25"
    (kept,) = asking.manifest(run).result.answers
    assert (kept.parameter, kept.value) == ("batch", 25)
    executed = asking.evidence(layout.executed_file(run.id, 1))
    assert b"batch = 25" in executed


def test_only_somebody_allowed_who_signed_it_after_the_question_and_did_not_edit_it_is_heard(asking: World) -> None:
    issue = asking.started("confirm")
    asking.say("bob", issue, "/runbook answer yes")
    reconciled_until(asking, issue, lambda run: run.question is not None)
    asking.reconcile(wait=False)
    comment = asking.say("bob", issue, "I wonder")
    asking.edit("bob", issue, comment, words="/runbook answer yes")
    asking.say("alice", issue, "/runbook answer yes")
    asking.say("mallory", issue, "/runbook answer yes")
    asking.say("bob", issue, "/runbook answer perhaps")
    asking.say("bob", issue, "/runbook answer q2 yes")
    asking.reconcile(wait=False)
    told = "\n".join(refusals(asking, issue))
    for why in (
        "asked on this issue now",
        "edited comment never counts",
        f"lets @oncall, {asking.id('bob')} answer",
        "not a member",
        "neither yes nor no",
        "q2 is not open",
    ):
        assert why in told, why
    run = asking.run(issue)
    assert run.question is not None
    assert run.answers == ()
    asking.say("carol", issue, f"/runbook cancel {run.id} --rollback enough")
    ended = reconciled_until(asking, issue, over)
    assert ended.outcome is Status.CANCELLED
    assert (asking.times(), asking.times("undone"), asking.times("always")) == (1, 1, 1)
    asking.check()


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (POLICY, "lets nobody answer"),
        (ANSWERING.replace('["@oncall", "bob@example.org"]', '["zoe@example.org"]'), "nobody is a member"),
    ],
)
def test_what_nobody_may_answer_is_not_planned(world: World, policy: str, why: str) -> None:
    asking = asking_world(world, policy=policy)
    issue = asking.ask("confirm")
    asking.reconcile(wait=False)
    (refused,) = refusals(asking, issue)
    assert why in refused
    assert "Traffic drained?" in refused
    assert asking.runs() == ()


def test_a_supervisor_dies_at_the_question_and_another_clone_brings_the_answer(asking: World) -> None:
    issue = asking.started("confirm")
    file = asking.spool(issue) / "transcript.jsonl"
    with asking.start_cli("alice", "reconcile", "--once", "--json") as process:
        wait_for(file)
        deadline = time.monotonic() + THEN
        while transcript.question(file.read_bytes()) is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.kill()
    reconciled_until(asking, issue, lambda run: run.question is not None, person="bob")
    asking.reconcile("bob", wait=False)
    asking.say("carol", issue, "/runbook answer yes")
    run = reconciled_until(asking, issue, over, person="bob")
    assert run.outcome is Status.SUCCEEDED
    assert len(questions_told(asking, issue)) == 1
    assert (asking.times(), len(run.answers)) == (2, 1)
    asking.check()


def test_a_run_at_its_question_keeps_nobody_waiting(asking: World) -> None:
    issue = at_its_question(asking)
    other = asking.started("count", host="web-2")
    assert reconciled_until(asking, other, over).outcome is Status.SUCCEEDED
    assert asking.run(issue).question is not None
    asking.say("alice", issue, f"/runbook cancel {asking.run(issue).id} --leave")
    assert reconciled_until(asking, issue, over).outcome is Status.CANCELLED


def test_whoever_asked_is_told_where_it_stands(asking: World) -> None:
    issue = at_its_question(asking)
    run = asking.run(issue)
    said = asking.cli("alice", "status", "--json")
    assert f"runbook answer {run.id} q1 yes" in said.out
    assert "Traffic drained?" in said.out
    asking.say("alice", issue, "/runbook status")
    asking.reconcile(wait=False)
    assert "Answer with: /runbook answer q1 yes" in asking.words(issue)
    done = asking.cli("bob", "answer", run.id[-8:], "yes", "--json")
    assert (done.code, asking.run(issue).outcome) == (0, Status.SUCCEEDED), done
    refused = asking.cli("bob", "answer", run.id, "yes")
    if asking.on_gitlab:
        assert len(refusals(asking, issue)) == 1, "it is told on the issue"
    else:
        assert '"outcome": "succeeded"' in done.out
        assert refused.code == 2
    assert asking.run(issue).plan.said.by == asking.id("alice")
