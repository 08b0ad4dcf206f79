"""Every state of a run against every word of the executor, and what should happen then."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import msgspec
import pytest

from runner.actions import Action
from runner.approval.decide import Decision, Verdict
from runner.approval.owed import Owed
from runner.execution.transcript import Asked
from runner.ledger import bodies
from runner.ledger.bodies import Body, Resolution, Rollback, Status
from runner.ledger.event import from_iso
from runner.lifecycle import due, next_actions
from runner.plan.run import RunState
from runner.ports.executor import WorkState
from runner.ports.review import ReviewState
from runner.publication.labels import Label
from runner.publication.markers import Kind
from runner.request.request import Request, RequestKey
from runner.snapshot import Glass, Heard, Known, Snapshot, Unheard
from tests.builders import (
    A_LOSS,
    A_QUESTION,
    A_START,
    AN_ANSWER,
    NOW,
    a_comment,
    a_plan,
    a_proposing_plan,
    a_review,
    a_run,
    a_thread,
    some_words,
)

ALLOWED = Decision(verdict=Verdict.ALLOWED, reasons=())
PENDING = Decision(verdict=Verdict.PENDING, reasons=())
DENIED = Decision(verdict=Verdict.DENIED, reasons=())
CAROL = some_words("carol@example.org", "7/9")
DIGEST = a_plan().digest
FINISH = bodies.Finish(
    start=3,
    outcome=Status.SUCCEEDED,
    rollback=Rollback.NOT_NEEDED,
    exit_reason="all_cells_ran",
    manifest=DIGEST,
    seconds=1.0,
)
LATE = bodies.Late(
    start=3,
    outcome=Status.SUCCEEDED,
    rollback=Rollback.NOT_NEEDED,
    exit_reason="all_cells_ran",
    manifest=DIGEST,
    seconds=1.0,
)
CANCEL = bodies.Cancel(plan_digest=DIGEST, mode="leave", said=CAROL)
RESOLVE = bodies.Resolve(interrupt=4, decision=Resolution.COMPLETED, said=CAROL, reason="seen")
EVENTS: dict[RunState, tuple[Body, ...]] = {
    RunState.PLANNED: (),
    RunState.STARTED: (A_START,),
    RunState.FINISHED: (A_START, FINISH),
    RunState.INTERRUPTED: (A_START, A_LOSS),
    RunState.RESOLVED: (A_START, A_LOSS, RESOLVE),
    RunState.REJECTED: (bodies.Reject(plan_digest=DIGEST, said=CAROL, reason="no"),),
    RunState.EXPIRED: (bodies.Expire(plan_digest=DIGEST),),
    RunState.CANCELLED: (CANCEL,),
}
"""The events after the plan that lead to each state."""
EVERYTHING = frozenset(Kind)


def known(*later: Body, **changes: object) -> Known:
    """A run of ours about which everything was said; a test names what it is about."""
    run = a_run(*later)
    values: dict[str, object] = {
        "run": run.run,
        "plan": run.plan,
        "thread": a_thread(),
        "decision": None,
        "holder": None,
        "ours": True,
        "work": WorkState.UNKNOWN,
        "lost": False,
        "told": EVERYTHING,
    }
    return Known(**(values | changes))  # type: ignore[arg-type] # the values are named by the test


def snapshot_of(*runs: Known) -> Snapshot:
    return Snapshot(requests=(), heard=(), unheard=(), runs=runs)


def names(*runs: Known, **more: object) -> list[str]:
    snapshot = Snapshot(**({"requests": (), "heard": (), "unheard": ()} | more), runs=runs)  # type: ignore[arg-type] # as above
    return [type(action).__name__ for action in next_actions(snapshot, NOW)]


STARTED_BY_US = {
    WorkState.UNKNOWN: ["Submit"],
    WorkState.SUBMITTED: ["Submit"],
    WorkState.RUNNING: ["Await"],
    WorkState.SEALED: ["Finish"],
    WorkState.DEAD: ["Interrupt"],
}
GIVEN_UP_BY_US = {WorkState.SEALED: ["Finish"]}


@pytest.mark.parametrize(("state", "work"), list(product(RunState, WorkState)))
def test_what_happens_in_a_state_follows_from_what_the_executor_says(state: RunState, work: WorkState) -> None:
    one = known(*EVENTS[state], work=work)
    assert one.run.state is state
    expected = {
        RunState.STARTED: STARTED_BY_US.get(work, []),
        RunState.INTERRUPTED: GIVEN_UP_BY_US.get(work, []),
        RunState.RESOLVED: GIVEN_UP_BY_US.get(work, []),
        RunState.FINISHED: ["Close"],
    }.get(state, [])
    assert names(one) == expected


@pytest.mark.parametrize(("state", "work"), list(product(RunState, WorkState)))
def test_nobody_touches_a_run_of_another_machine_that_is_not_lost(state: RunState, work: WorkState) -> None:
    one = known(*EVENTS[state], work=work, ours=False)
    assert names(one) == (["Close"] if state is RunState.FINISHED else [])


@pytest.mark.parametrize("state", RunState)
def test_whoever_looks_after_a_run_is_assigned_once_and_while_people_are_told(state: RunState) -> None:
    one = known(*EVENTS[state], unassigned=True, label=Label.PLANNED)
    assert names(one).count("Assign") == 1
    turn = [type(action).__name__ for action in due(next_actions(snapshot_of(one), NOW))]
    assert ("Assign" in turn) is ("Mark" in turn), "with everything else that is said"


@pytest.mark.parametrize("state", RunState)
def test_only_an_open_start_is_interrupted_when_its_owner_is_lost(state: RunState) -> None:
    one = known(*EVENTS[state], ours=False, lost=True)
    assert ("Interrupt" in names(one)) is (state is RunState.STARTED)


@pytest.mark.parametrize("state", RunState)
def test_what_was_not_said_is_said(state: RunState) -> None:
    said = {
        RunState.PLANNED: ["plan"],
        RunState.STARTED: ["plan"],
        RunState.INTERRUPTED: ["plan", "interrupted"],
        RunState.RESOLVED: ["plan", "interrupted", "result"],
    }.get(state, ["plan", "result"])
    one = known(*EVENTS[state], told=frozenset(), work=WorkState.RUNNING, decision=PENDING)
    snapshot = Snapshot(requests=(), heard=(), unheard=(), runs=(one,))
    told = [action.what.value for action in next_actions(snapshot, NOW) if hasattr(action, "what")]
    assert told == said


@pytest.mark.parametrize(
    ("decision", "holder", "expected"),
    [
        (ALLOWED, None, ["Start"]),
        (ALLOWED, "another-run", []),
        (PENDING, None, []),
        (DENIED, None, []),
        (None, None, []),
    ],
)
def test_a_plan_starts_only_if_it_is_allowed_and_its_locks_are_free(
    decision: Decision | None, holder: str | None, expected: list[str]
) -> None:
    assert names(known(decision=decision, holder=holder)) == expected


def test_a_plan_waits_for_those_that_are_ahead_of_it() -> None:
    assert names(known(decision=ALLOWED, ahead=("another-run",))) == []


def test_a_plan_whose_time_is_over_expires_and_does_not_start() -> None:
    one = known(decision=ALLOWED)
    after = from_iso(one.run.plan.expires)
    snapshot = Snapshot(requests=(), heard=(), unheard=(), runs=(one,))
    assert [type(action).__name__ for action in next_actions(snapshot, after)] == ["Expire"]
    before = after - timedelta(milliseconds=1)
    assert [type(action).__name__ for action in next_actions(snapshot, before)] == ["Start"]


@pytest.mark.parametrize("work", WorkState)
def test_what_ran_by_break_glass_is_owned_up_to_as_soon_as_no_worker_lives_on_it(work: WorkState) -> None:
    glass = Glass(plan=a_plan(), request="please", said=CAROL, work=work)
    assert names(glass=(glass,)) == ([] if work is WorkState.RUNNING else ["OwnUp"])


HALT = bodies.Halt(request_key="k", policy_commit="c", issue="7", said=CAROL, reason="smoke")


def test_while_everything_is_halted_nothing_begins_and_what_runs_comes_to_its_end() -> None:
    assert names(known(decision=ALLOWED, halted=5)) == []
    assert names(known(A_START, work=WorkState.SUBMITTED, halted=5)) == []
    assert names(known(A_START, work=WorkState.RUNNING, halted=5)) == ["Await"]
    assert names(known(A_START, work=WorkState.SEALED, halted=5)) == ["Finish"]


def test_a_halt_is_believed_before_it_is_on_record_and_an_unhalt_only_then() -> None:
    assert names(known(decision=ALLOWED), switch=HALT) == ["Switch"]
    unhalt = bodies.Unhalt(halt=5, request_key="k", policy_commit="c", issue="7", said=CAROL)
    assert names(known(decision=ALLOWED, halted=5), switch=unhalt) == ["Switch"]


def test_a_cancel_is_passed_on_to_a_running_worker_and_to_no_other() -> None:
    assert names(known(A_START, CANCEL, work=WorkState.RUNNING)) == ["Stop", "Await"]
    assert names(known(A_START, CANCEL, work=WorkState.SEALED)) == ["Finish"]


def test_a_late_result_is_taken_once_and_told() -> None:
    assert names(known(A_START, A_LOSS, LATE, work=WorkState.SEALED)) == []
    assert names(known(A_START, A_LOSS, LATE, told=EVERYTHING - {Kind.LATE})) == ["Tell"]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (known(A_START, FINISH), ["Close"]),
        (known(A_START, FINISH, told=EVERYTHING - {Kind.RESULT}), ["Tell", "Close"]),
        (known(A_START, FINISH, plan=a_plan(close_issue=False)), []),
    ],
    ids=["told", "not told yet", "not asked for"],
)
def test_an_issue_is_closed_right_after_its_result_is_told_and_if_the_header_asks_for_it(
    one: Known, expected: list[str]
) -> None:
    assert names(one) == expected


OWED = Owed(made=NOW, due=NOW + timedelta(hours=2), missing=("one more",))


def test_an_emergency_is_reminded_of_what_it_owes_once_and_after_half_of_its_time() -> None:
    def told(after: timedelta, *, said: frozenset[Kind] = EVERYTHING - {Kind.OWED}) -> list[str]:
        one = known(A_START, FINISH, owed=OWED, told=said)
        return [type(action).__name__ for action in next_actions(snapshot_of(one), NOW + after)]

    assert told(timedelta(minutes=59)) == []
    assert told(timedelta(minutes=60)) == ["Tell"]
    assert told(timedelta(hours=9)) == ["Tell"]
    assert told(timedelta(hours=9), said=EVERYTHING) == []


def test_the_issue_of_an_emergency_stays_open_while_it_owes_something() -> None:
    assert names(known(A_START, FINISH, owed=OWED)) == []
    assert names(known(A_START, FINISH)) == ["Close"]


def test_a_missing_label_is_set_in_every_state() -> None:
    for state, later in EVENTS.items():
        assert "Mark" in names(known(*later, label=Label.PLANNED)), state


def everything_at_once() -> tuple[Action, ...]:
    comment = a_comment("x")
    request = Request(runbook="count", parameters={}, key=RequestKey("k"), comment=comment)
    heard = Heard(run=a_run().run, plan=a_plan(), body=CANCEL)
    unheard = Unheard(thread=a_thread(), key="k", body="b")
    runs = (known(A_START, work=WorkState.RUNNING), known(A_START, work=WorkState.SEALED))
    snapshot = Snapshot(requests=(request, request), heard=(heard,), unheard=(unheard,), runs=runs)
    return next_actions(snapshot, NOW)


def test_effects_come_before_words_then_plans_and_waiting_last() -> None:
    found = [type(action).__name__ for action in everything_at_once()]
    assert found == ["Record", "Finish", "Answer", "MakePlan", "MakePlan", "Await"]


def test_it_is_the_turn_of_one_kind_at_a_time_and_of_one_plan() -> None:
    left, turns = list(everything_at_once()), []
    while left:
        turn = due(left)
        turns.append([type(action).__name__ for action in turn])
        left = [action for action in left if not any(action is one for one in turn)]
    assert turns == [["Record", "Finish"], ["Answer"], ["MakePlan"], ["MakePlan"], ["Await"]]


def test_when_nothing_is_left_it_is_nobodys_turn() -> None:
    assert due([]) == ()


def test_when_nothing_is_left_nothing_happens() -> None:
    assert names() == []


def test_how_an_attempt_ended_is_told_before_the_next_one_begins() -> None:
    failed = msgspec.structs.replace(FINISH, outcome=Status.FAILED, rollback=Rollback.NOT_POSSIBLE)
    one = known(A_START, failed, told=EVERYTHING - {Kind.RESULT})
    body = bodies.Resume(plan_digest=DIGEST, attempt=2, approval="new", said=CAROL)
    snapshot = Snapshot(requests=(), heard=(Heard(run=one.run, plan=one.plan, body=body),), unheard=(), runs=(one,))
    actions = next_actions(snapshot, NOW)
    assert [type(action).__name__ for action in actions] == ["Tell", "Record"]
    assert [type(action).__name__ for action in due(actions)] == ["Tell"]


def test_a_run_that_was_resumed_is_planned_again_and_starts_when_it_is_allowed() -> None:
    failed = msgspec.structs.replace(FINISH, outcome=Status.FAILED, rollback=Rollback.NOT_POSSIBLE)
    resumed = bodies.Resume(plan_digest=DIGEST, attempt=2, approval="new", said=CAROL)
    assert names(known(A_START, failed, resumed, decision=PENDING)) == []
    assert names(known(A_START, failed, resumed, decision=ALLOWED)) == ["Start"]
    assert names(known(A_START, failed, resumed, decision=PENDING, told=frozenset())) == ["Tell"]


ASKED = Asked(
    ordinal=1,
    kind=bodies.QuestionKind.CONFIRM,
    cell="c3",
    step="restart",
    text="Traffic drained?",
    parameter="",
    accepted="yes or no",
    schema={},
    until="2026-11-23T13:00:00.000Z",
)


@pytest.mark.parametrize(
    ("later", "told", "expected"),
    [
        ((), EVERYTHING, ["Ask", "Await"]),
        ((A_QUESTION,), EVERYTHING - {Kind.QUESTION}, ["Tell", "Await"]),
        ((A_QUESTION,), EVERYTHING, ["Await"]),
        ((A_QUESTION, AN_ANSWER), EVERYTHING, ["Deliver", "Await"]),
        ((CANCEL,), EVERYTHING, ["Stop", "Await"]),
        ((A_QUESTION, CANCEL), EVERYTHING - {Kind.QUESTION}, ["Stop", "Await"]),
    ],
)
def test_what_a_worker_asks_goes_on_record_then_on_the_issue_and_its_answer_back(
    later: tuple[Body, ...], told: frozenset[Kind], expected: list[str]
) -> None:
    assert names(known(A_START, *later, work=WorkState.RUNNING, told=told, asked=ASKED)) == expected
    elsewhere = known(A_START, *later, work=WorkState.RUNNING, told=told, asked=ASKED, ours=False)
    assert names(elsewhere) == [], "only its owner speaks for it"


def test_a_second_question_is_asked_when_the_first_is_answered() -> None:
    second = msgspec.structs.replace(ASKED, ordinal=2)
    one = known(A_START, A_QUESTION, AN_ANSWER, work=WorkState.RUNNING, asked=second)
    assert names(one) == ["Ask", "Await"]


PROPOSING = a_proposing_plan()


def proposing(*later: Body, **changes: object) -> Known:
    run = a_run(*later, plan=PROPOSING)
    return known(**({"run": run.run, "plan": run.plan, "told": EVERYTHING - {Kind.PLAN}} | changes))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"decision": PENDING}, ["Propose"]),
        # Where it is reviewed is told with the plan, so that comes after.
        ({"decision": PENDING, "review": a_review()}, ["Tell"]),
        ({"decision": DENIED}, ["Tell"]),
        ({"decision": ALLOWED, "review": a_review(ReviewState.MERGED)}, ["Start", "Tell"]),
        # Somebody has taken the branch away: it is not put up again.
        ({"decision": DENIED, "told": EVERYTHING}, []),
        ({"decision": PENDING, "told": EVERYTHING}, []),
    ],
)
def test_a_change_is_put_up_for_review_once_and_before_the_plan_is_told(
    changes: dict[str, object], expected: list[str]
) -> None:
    assert names(proposing(**changes)) == expected


def test_a_run_that_ends_before_its_start_takes_its_review_with_it() -> None:
    reject = bodies.Reject(plan_digest=PROPOSING.digest, said=CAROL, reason="no")
    one = proposing(reject, told=EVERYTHING - {Kind.RESULT})
    assert names(one) == ["Withdraw", "Tell"]
    assert names(proposing(reject, told=EVERYTHING)) == []
