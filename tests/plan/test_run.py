"""The fold of a run: every event in every state is either legal, or refused by name."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import msgspec
import pytest

from runner.digest import Digest
from runner.errors import IntegrityError
from runner.ledger import bodies
from runner.ledger.bodies import TYPES, Body, Rehearsal, Resolution, Rollback, Status
from runner.ledger.event import Event
from runner.plan.run import NEW, SAME, RunState, fold, legal, may_follow, misfit
from tests.builders import A_LOSS, A_QUESTION, A_START, AN_ANSWER, a_plan, a_run, rehearsed, some_words
from tests.test_lifecycle import CANCEL, CAROL, DIGEST, EVENTS, FINISH, LATE, RESOLVE

S = RunState
MOVES: dict[str, set[RunState | None]] = {
    "plan": {None},
    "approve": {S.PLANNED},
    "revoke": {S.PLANNED},
    "reject": {S.PLANNED},
    "expire": {S.PLANNED},
    "start": {S.PLANNED},
    "cancel": {S.PLANNED, S.STARTED},
    "question": {S.STARTED},
    "answer": {S.STARTED},
    "finish": {S.STARTED},
    "interrupt": {S.STARTED},
    "resolve": {S.INTERRUPTED},
    "late": {S.INTERRUPTED, S.RESOLVED},
    "resume": {S.FINISHED, S.RESOLVED},
    "note": set(S),
    "genesis": set(),
    "key": set(),
    "halt": set(),
    "unhalt": set(),
    "witness": set(),
}
"""The table of the design, written down a second time on purpose."""
APPROVE = bodies.Approve(plan_digest=DIGEST, said=some_words("bob@example.org", "7/3"))
BODIES: dict[str, Body] = {
    "approve": APPROVE,
    "revoke": bodies.Revoke(plan_digest=DIGEST, approval=3, said=CAROL),
    "reject": EVENTS[S.REJECTED][0],
    "expire": EVENTS[S.EXPIRED][0],
    "start": EVENTS[S.STARTED][0],
    "cancel": CANCEL,
    "question": A_QUESTION,
    "answer": AN_ANSWER,
    "finish": FINISH,
    "interrupt": EVENTS[S.INTERRUPTED][1],
    "resolve": RESOLVE,
    "late": LATE,
    "resume": bodies.Resume(plan_digest=DIGEST, attempt=2, approval="new", said=CAROL),
    "note": bodies.Note(text="seen"),
    "genesis": bodies.Genesis(project="p", code_branch="m", evidence_branch="e", object_format="sha1", key="k"),
    "key": bodies.Key(key="k", action="add"),
    "halt": bodies.Halt(request_key="k", policy_commit="c", issue="7", said=CAROL, reason="stop"),
    "unhalt": bodies.Unhalt(halt=3, request_key="k", policy_commit="c", issue="7", said=CAROL),
    "witness": bodies.Witness(head=1, digest=DIGEST, where="there"),
}


def events(*later: Body) -> list[Event]:
    """The events of `a_run`, whole."""
    run = a_run(*later)
    first = run.run.planned
    return [replace(first, seq=seq, body=body) for seq, _, body in run.events]


def test_the_table_names_every_event_type() -> None:
    assert set(MOVES) == set(TYPES)


@pytest.mark.parametrize(("name", "state"), list(product(BODIES, S)))
def test_an_event_may_come_exactly_where_the_table_lets_it(name: str, state: RunState) -> None:
    assert legal(state, BODIES[name]) is (state in MOVES[name])
    before = events(*EVENTS[state])
    planned_late = [*before, replace(before[0], seq=9, body=BODIES[name])]
    if state not in MOVES[name]:
        with pytest.raises(IntegrityError, match=f"may not follow {state.value}"):
            fold(planned_late)


def test_a_run_begins_with_a_plan_and_has_no_second_one() -> None:
    with pytest.raises(IntegrityError, match="does not begin with a plan"):
        fold([])
    with pytest.raises(IntegrityError, match="does not begin with a plan"):
        fold(events(APPROVE)[1:])
    first = events()[0]
    with pytest.raises(IntegrityError, match="may not follow planned"):
        fold([first, replace(first, seq=3)])
    assert legal(None, first.body)


@pytest.mark.parametrize("name", ["approve", "reject", "expire", "start", "cancel"])
def test_an_event_of_another_plan_is_refused(name: str) -> None:
    other = msgspec.structs.replace(BODIES[name], plan_digest=Digest("f" * 64))
    with pytest.raises(IntegrityError, match="another plan"):
        fold(events(other))


@pytest.mark.parametrize("name", ["finish", "interrupt"])
def test_only_the_open_start_is_closed(name: str) -> None:
    other = msgspec.structs.replace(BODIES[name], start=2)
    with pytest.raises(IntegrityError, match="not the open one"):
        fold(events(BODIES["start"], other))


def test_a_revoked_approval_is_gone_and_cannot_be_revoked_twice() -> None:
    revoke = BODIES["revoke"]
    run = fold(events(APPROVE, revoke))
    assert (run.approvals, len(run.revoked)) == ((), 1)
    with pytest.raises(IntegrityError, match="no approval"):
        fold(events(APPROVE, revoke, revoke))


def asked(**changes: object) -> Body:
    return msgspec.structs.replace(A_QUESTION, **changes)


def answered(question: int) -> Body:
    return msgspec.structs.replace(AN_ANSWER, question=question)


def test_a_started_run_waits_at_its_question_until_that_is_answered() -> None:
    start = BODIES["start"]
    waiting = fold(events(start, A_QUESTION))
    assert waiting.state is S.STARTED
    assert waiting.question is waiting.questions[0]
    gone_on = fold(events(start, A_QUESTION, AN_ANSWER, asked(ordinal=2)))
    assert [event.seq for event in gone_on.questions] == [4, 6]
    assert gone_on.question is gone_on.questions[1]
    assert AN_ANSWER.said.comment in gone_on.comments
    assert fold(events(start, A_QUESTION, FINISH)).question is None, "nobody waits any more"


@pytest.mark.parametrize(
    ("later", "wrong"),
    [
        ([asked(start=2)], "not the open one"),
        ([asked(ordinal=2)], "is question 2, after 0"),
        ([A_QUESTION, asked(ordinal=2)], "is question 2, after 1 with 0 answered"),
        ([A_QUESTION, answered(4), asked(ordinal=1)], "is question 1, after 1"),
        ([answered(4)], "not the open question"),
        ([A_QUESTION, answered(3)], "not the open question"),
        ([A_QUESTION, answered(4), answered(4)], "not the open question"),
    ],
)
def test_a_question_is_asked_once_in_its_start_and_answered_once(later: list[Body], wrong: str) -> None:
    with pytest.raises(IntegrityError, match=wrong):
        fold(events(BODIES["start"], *later))


def test_a_cancel_ends_a_plan_and_only_asks_a_started_run_to_end() -> None:
    assert fold(events(CANCEL)).state is S.CANCELLED
    run = fold(events(BODIES["start"], CANCEL))
    assert (run.state, run.end) == (S.STARTED, None)
    assert run.cancel


def test_a_failed_rehearsal_cannot_be_approved() -> None:
    plan = a_plan(rehearsal=rehearsed(Rehearsal.FAILED))
    assert not a_run(plan=plan).run.approvable
    assert a_run().run.approvable
    assert not a_run(BODIES["start"]).run.approvable


@pytest.mark.parametrize("state", [S.STARTED, S.FINISHED, S.INTERRUPTED, S.RESOLVED])
def test_what_an_emergency_owes_may_be_approved_in_any_state_after_its_start(state: RunState) -> None:
    emergency = a_plan(emergency="the site is down", owes_by="2026-11-24T12:00:00.000Z")
    digest = emergency.digest
    later = [
        msgspec.structs.replace(body, plan_digest=digest) if hasattr(body, "plan_digest") else body
        for body in EVENTS[state]
    ]
    run = a_run(*later, plan=emergency).run
    yes = bodies.Approve(plan_digest=digest, said=CAROL)
    assert run.approvable
    assert may_follow(run, yes)
    assert not may_follow(a_run(*EVENTS[state]).run, APPROVE)
    assert a_run(*later, yes, plan=emergency).run.state is state


def test_what_ran_by_break_glass_is_recorded_afterwards_and_in_no_other_way() -> None:
    glass = a_plan(break_glass="the forge is down")
    afterwards = msgspec.structs.replace(A_START, plan_digest=glass.digest, locks=(), after=True)
    planned, begun = a_run(plan=glass).run, a_run(afterwards, plan=glass).run
    assert misfit(planned, afterwards) == ""
    assert "its plan says otherwise" in misfit(planned, A_START)
    assert "its plan says otherwise" in misfit(a_run().run, afterwards)
    assert "no end" in misfit(begun, FINISH)
    lost = a_run(afterwards, A_LOSS, msgspec.structs.replace(RESOLVE, decision=Resolution.REVERTED), plan=glass).run
    again = msgspec.structs.replace(BODIES["resume"], plan_digest=glass.digest)
    assert "ask anew" in misfit(lost, again)


def test_an_emergency_that_never_started_owes_nothing() -> None:
    emergency = a_plan(emergency="the site is down", owes_by="2026-11-24T12:00:00.000Z")
    run = a_run(bodies.Expire(plan_digest=emergency.digest), plan=emergency).run
    assert not may_follow(run, bodies.Approve(plan_digest=emergency.digest, said=CAROL))


def test_a_run_remembers_which_comments_were_taken_into_the_record() -> None:
    assert fold(events(APPROVE)).comments == {"7/0", "7/3"}


@pytest.mark.parametrize("state", S)
def test_a_run_is_over_when_nothing_more_happens_by_itself(state: RunState) -> None:
    over = a_run(*EVENTS[state]).run.over
    assert over is (state not in {S.PLANNED, S.STARTED, S.INTERRUPTED})


def test_the_resolution_does_not_rewrite_what_was_found_out_late() -> None:
    run = a_run(*EVENTS[S.RESOLVED], LATE).run
    assert (run.state, run.message) == (S.RESOLVED, "seen")
    assert run.late


FAILED = msgspec.structs.replace(FINISH, outcome=Status.FAILED, rollback=Rollback.NOT_POSSIBLE)
APPLIED = msgspec.structs.replace(RESOLVE, decision=Resolution.PARTIALLY_APPLIED)


def resume(approval: str = NEW, attempt: int = 2) -> bodies.Resume:
    return bodies.Resume(plan_digest=DIGEST, attempt=attempt, approval=approval, said=CAROL)


@pytest.mark.parametrize("end", [(FAILED,), (A_LOSS, APPLIED)], ids=["failed", "resolved"])
def test_a_resume_begins_the_next_attempt_of_the_same_plan(end: tuple[Body, ...]) -> None:
    run = fold(events(A_START, *end, resume()))
    assert (run.state, run.attempt, run.next_attempt) == (S.PLANNED, 2, 2)
    assert (run.start, run.end, run.outcome, run.rollback, run.message) == (None, None, None, None, "")
    again = fold(events(A_START, *end, resume(), msgspec.structs.replace(A_START, attempt=2)))
    assert (again.state, again.attempt, again.next_attempt) == (S.STARTED, 2, 3)


def test_earlier_approvals_stand_only_where_the_resume_says_the_same_count() -> None:
    def approvals(approval: str) -> list[int]:
        finish = msgspec.structs.replace(FAILED, start=4)
        run = fold(events(APPROVE, A_START, finish, resume(approval), APPROVE))
        return [event.seq for event in run.approvals]

    assert approvals(SAME) == [3, 7]
    assert approvals(NEW) == [7]


AN_ASKED = msgspec.structs.replace(A_QUESTION, kind=bodies.QuestionKind.ASK, parameter="batch")


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ((FINISH,), "it succeeded"),
        ((A_LOSS, RESOLVE), "resolved as completed"),
        ((msgspec.structs.replace(FAILED, rollback=Rollback.PARTIAL),), "its rollback is partial"),
        ((msgspec.structs.replace(FAILED, rollback=Rollback.FAILED),), "its rollback is failed"),
        ((AN_ASKED, msgspec.structs.replace(AN_ANSWER, value=25), FAILED), "gave batch a value while it ran"),
    ],
)
def test_what_cannot_be_resumed_is_refused_with_its_reason(end: tuple[Body, ...], why: str) -> None:
    with pytest.raises(IntegrityError, match=why):
        fold(events(A_START, *end, resume()))


def test_a_resume_of_another_attempt_than_the_next_is_refused() -> None:
    assert misfit(a_run(A_START, FAILED).run, resume()) == ""
    assert misfit(a_run(A_START, FAILED).run, resume(attempt=3))
    with pytest.raises(IntegrityError, match="attempt 3 does not follow attempt 1"):
        fold(events(A_START, FAILED, resume(attempt=3)))
