from __future__ import annotations

import dataclasses
import re
from base64 import b64decode
from typing import Any

import pytest
from msgspec.structs import replace

from runner.approval.approval import approvals
from runner.approval.collect import Collected, collect, commands_of, key_of, said
from runner.approval.meant import Known
from runner.approval.owed import Owed
from runner.approval.policy import read
from runner.digest import sha256
from runner.ledger import bodies
from runner.ledger.bodies import Approve, Cancel, Reject, Resolve, Revoke
from runner.ports.forge import Comment, PersonId, Proof
from tests.builders import (
    A_LOSS,
    A_QUESTION,
    A_START,
    NOW,
    a_comment,
    a_plan,
    a_run,
    a_thread,
    rehearsed,
    requested_by,
    some_words,
)

POLICY = read(
    """
[[rule]]
name = "production"
request = ["*"]
approve = {count = 1, from = ["bob", "eve", "alice"]}
resolve = ["carol"]
"""
)
MEMBERS = frozenset(PersonId(name) for name in ("alice", "bob", "carol", "eve"))
PLAN = a_plan(requested=requested_by("alice"))
START = replace(A_START, plan_digest=PLAN.digest)
SHORT = PLAN.digest[:12]


def collected(*comments: Comment, runs: tuple[Known, ...] | None = None, **changes: Any) -> Collected:
    facts: dict[str, Any] = {"members": MEMBERS, "runs": (a_run(plan=PLAN),) if runs is None else runs}
    return collect(POLICY, commands_of(a_thread(*comments), bot="runbook"), **(facts | changes))


def yes(by: str = "bob", number: int = 1, **changes: Any) -> Comment:
    return a_comment(f"/runbook approve {SHORT} looks right", by=by, number=number, **changes)


def refused(found: Collected) -> str:
    assert found.record == []
    (one,) = found.refuse
    return one.reason


def test_an_approval_is_recorded_with_digest_person_and_reason() -> None:
    found = collected(yes())
    assert found.refuse == []
    (record,) = found.record
    assert record.run == PLAN.run
    assert record.body == Approve(plan_digest=PLAN.digest, said=some_words("bob", "7/1"), reason="looks right")


def test_what_is_recorded_already_is_passed_over() -> None:
    approved = a_run(Approve(plan_digest=PLAN.digest, said=some_words("bob", "7/1")), plan=PLAN)
    found = collected(yes(), runs=(approved,))
    assert (found.record, found.refuse) == ([], [])


def test_what_was_answered_already_is_passed_over_even_if_it_would_be_allowed_now() -> None:
    key = collected(yes()).record[0].key
    found = collected(yes(), answered=frozenset({key}))
    assert (found.record, found.refuse) == ([], [])


def test_the_same_command_twice_in_one_comment_is_one() -> None:
    twice = a_comment(f"/runbook approve {SHORT}\n\n/runbook approve {SHORT}", by="bob")
    assert len(collected(twice).record) == 1


def test_a_second_comment_is_a_second_approval() -> None:
    assert len(collected(yes(number=1), yes(number=2)).record) == 2


def test_a_digest_of_another_plan_is_refused_and_the_current_one_is_named() -> None:
    reason = refused(collected(a_comment("/runbook approve 0123456789ab", by="bob")))
    assert "no plan of this issue begins with 0123456789ab" in reason
    assert f"The current plan is {SHORT}" in reason


def test_with_nothing_waiting_that_is_said() -> None:
    assert "No plan is waiting here now." in refused(collected(yes(), runs=()))


def test_a_digest_that_fits_two_plans_is_refused() -> None:
    both = (a_run(plan=PLAN), a_run(plan=PLAN))
    assert "fits 2 plans" in refused(collected(yes(), runs=both))


def test_an_edited_comment_is_refused() -> None:
    assert refused(collected(yes(edited=True))) == "an edited comment never counts; write it in a new comment"


def test_an_edited_comment_that_names_nothing_is_told_about_the_editing() -> None:
    comment = a_comment("/runbook approve 0123456789ab", by="bob", edited=True)
    assert "edited" in refused(collected(comment))


def test_an_edited_request_is_refused_unless_it_made_a_plan_before() -> None:
    asking = a_comment("/runbook run disk-cleanup host=web-1", by="alice", edited=True, number=5)
    assert "edited" in refused(collected(asking, runs=()))
    planned = a_plan(requested=requested_by("alice"))
    description = a_comment("/runbook run disk-cleanup host=web-1", by="alice", edited=True, number=0)
    assert planned.requested.comment == description.id
    thread = a_thread()
    edited = type(thread)(issue=thread.issue, comments=(description,))
    found = collect(POLICY, commands_of(edited, bot="runbook"), runs=(a_run(plan=PLAN),), members=MEMBERS)
    assert (found.record, found.refuse) == ([], [])


def test_our_own_comments_are_never_commands() -> None:
    found = collected(yes(ours=True))
    assert (found.record, found.refuse) == ([], [])


def test_an_unverified_author_is_refused() -> None:
    assert "nothing proves that bob wrote this" in refused(collected(yes(verified=False)))


def test_a_self_approval_is_refused() -> None:
    assert "the requester's own yes never counts" in refused(collected(yes("alice")))


def test_one_who_is_no_approver_is_refused() -> None:
    assert "carol is not one of its approvers: bob, eve, alice" in refused(collected(yes("carol")))


def test_a_stranger_is_refused() -> None:
    assert "bob is not a member" in refused(collected(yes(), members=frozenset()))


def test_a_run_that_has_started_cannot_be_approved() -> None:
    assert f"run {PLAN.run} is started" in refused(collected(yes(), runs=(a_run(START, plan=PLAN),)))


def test_a_failed_rehearsal_cannot_be_approved() -> None:
    plan = a_plan(requested=requested_by("alice"), rehearsal=rehearsed(bodies.Rehearsal.FAILED))
    comment = a_comment(f"/runbook approve {plan.digest[:12]}", by="bob")
    assert "rehearsal failed" in refused(collected(comment, runs=(a_run(plan=plan),)))


def test_a_line_that_cannot_be_read_is_answered_with_what_is_wrong() -> None:
    found = collected(a_comment("/runbook approve", by="bob"))
    assert "no digest is given" in refused(found)
    assert found.refuse[0].hint


def test_requests_and_questions_are_left_to_others() -> None:
    found = collected(a_comment("/runbook status"), a_comment("/runbook run disk-cleanup", number=2))
    assert (found.record, found.refuse) == ([], [])


def test_a_yes_is_taken_back_by_its_number() -> None:
    approved = a_run(Approve(plan_digest=PLAN.digest, said=some_words("bob", "7/1")), plan=PLAN)
    (record,) = collected(yes(), a_comment(f"/runbook revoke {SHORT}", by="bob", number=2), runs=(approved,)).record
    assert isinstance(record.body, Revoke)
    assert record.body.approval == 3
    later = a_run(Approve(plan_digest=PLAN.digest, said=some_words("bob", "7/1")), record.body, plan=PLAN)
    assert [one.fault for one in approvals(later.events)] == ["revoked"]


def test_nobody_takes_back_somebody_elses_yes() -> None:
    approved = a_run(Approve(plan_digest=PLAN.digest, said=some_words("bob", "7/1")), plan=PLAN)
    comment = a_comment(f"/runbook revoke {SHORT}", by="eve", number=2)
    assert "no approval by eve to take back" in refused(collected(comment, runs=(approved,)))


def test_a_yes_that_was_taken_back_before_it_was_recorded_is_never_recorded() -> None:
    revoke = a_comment(f"/runbook revoke {SHORT}", by="bob", number=2)
    found = collected(yes(), revoke)
    assert found.record == []
    keys = frozenset(one.key for one in found.refuse)
    assert len(keys) == 2
    again = collected(yes(), revoke, answered=keys)
    assert (again.record, again.refuse) == ([], [])


def test_another_persons_yes_stays_when_somebody_takes_theirs_back() -> None:
    found = collected(yes("bob", 1), yes("eve", 2), a_comment(f"/runbook revoke {SHORT}", by="eve", number=3))
    assert [record.body.said.by for record in found.record] == ["bob"]


def test_a_rejection_is_recorded_and_what_follows_waits_for_it() -> None:
    no = a_comment(f"/runbook reject {SHORT} not on a Friday", by="eve", number=1)
    found = collected(no, yes(number=2))
    assert found.refuse == []
    assert [record.body for record in found.record] == [
        Reject(plan_digest=PLAN.digest, said=some_words("eve", "7/1"), reason="not on a Friday")
    ]
    rejected = a_run(found.record[0].body, plan=PLAN)
    assert "is rejected" in refused(collected(no, yes(number=2), runs=(rejected,)))


@pytest.mark.parametrize("which", ["", f"{SHORT} ", f"{PLAN.run} "])
def test_the_requester_cancels_by_run_by_digest_or_where_only_one_is_open(which: str) -> None:
    comment = a_comment(f"/runbook cancel {which}--rollback too slow", by="alice")
    (record,) = collected(comment, runs=(a_run(START, plan=PLAN),)).record
    expected = Cancel(plan_digest=PLAN.digest, mode="rollback", said=some_words("alice", "7/1"), reason="too slow")
    assert record.body == expected


def test_a_cancel_that_could_mean_several_runs_is_refused() -> None:
    other = a_run(plan=a_plan(run="20261123T115901Z-disk-cleanup-abcdefgh", requested=requested_by("alice")))
    reason = refused(collected(a_comment("/runbook cancel --leave", by="alice"), runs=(a_run(plan=PLAN), other)))
    assert "it has to name the run. The current plans are" in reason


def test_a_run_of_another_issue_cannot_be_named() -> None:
    comment = a_comment("/runbook cancel 20261123T115901Z-disk-cleanup-abcdefgh --leave", by="alice")
    assert "no run of this issue is" in refused(collected(comment))


def test_those_on_call_resolve_an_interrupted_run() -> None:
    comment = a_comment(f"/runbook resolve {PLAN.run} partially_applied two of three hosts", by="carol")
    (record,) = collected(comment, runs=(a_run(START, A_LOSS, plan=PLAN),)).record
    assert record.body == Resolve(
        interrupt=4,
        decision=bodies.Resolution.PARTIALLY_APPLIED,
        said=some_words("carol", "7/1"),
        reason="two of three hosts",
    )
    assert "is planned" in refused(collected(comment))
    by_bob = a_comment(f"/runbook resolve {PLAN.run} completed I looked", by="bob")
    assert "policy lets carol resolve it" in refused(collected(by_bob, runs=(a_run(START, A_LOSS, plan=PLAN),)))


def test_keys_differ_by_comment_place_and_verb_and_hold_nothing_strange() -> None:
    thread = a_thread(yes(number=1), a_comment(f"/runbook approve {SHORT}\n\n/runbook status", number=2))
    keys = [key_of(command) for command in commands_of(thread, bot="runbook")]
    assert len(set(keys)) == 3
    assert all(set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789./:_") for key in keys)


def test_the_signed_words_of_a_person_are_kept() -> None:
    comment = yes(proof=Proof(payload=b"exact bytes\x00", signature="-----BEGIN SSH SIGNATURE-----"))
    kept = said(comment)
    assert kept.payload is not None
    assert kept.signature is not None
    assert b64decode(kept.payload) == b"exact bytes\x00"
    assert b64decode(kept.signature) == b"-----BEGIN SSH SIGNATURE-----"
    assert said(yes()).payload is None


def test_a_plan_is_named_by_its_digest_only() -> None:
    assert PLAN.digest == sha256(PLAN.to_bytes())


ASKED = replace(A_QUESTION, start=3)
"""Event 4 of a run that has started; Bob may answer it, Carol may not."""
ANSWERING = read('[[rule]]\nname = "all"\nrequest = ["*"]\napprove = {count = 0}\nanswer = ["bob"]\n')


def asking(**changes: Any) -> Known:
    known = a_run(START, ASKED, plan=PLAN)
    return dataclasses.replace(known, **({"since": frozenset({"7/1", "7/2"})} | changes))


def answered(*comments: Comment, **changes: Any) -> Collected:
    commands = commands_of(a_thread(*comments), bot="runbook")
    return collect(ANSWERING, commands, runs=(asking(**changes),), members=MEMBERS, policy_commit="c" * 40)


def test_an_answer_names_its_question_the_value_the_person_and_the_policy() -> None:
    found = answered(a_comment("/runbook answer no still busy", by="bob"))
    assert found.refuse == []
    assert found.record[0].body == bodies.Answer(
        question=4, value=False, said=some_words("bob", "7/1"), policy_commit="c" * 40, reason="still busy"
    )


@pytest.mark.parametrize(
    ("comment", "why"),
    [
        (a_comment("/runbook answer yes", by="carol"), "policy lets bob answer its questions"),
        (a_comment("/runbook answer maybe", by="carol"), "policy lets bob"),
        (a_comment("/runbook answer yes", by="mallory"), "not a member"),
        (a_comment("/runbook answer yes", by="bob", verified=False), "nothing proves"),
        (a_comment("/runbook answer yes", by="bob", edited=True), "edited comment never counts"),
        (a_comment("/runbook answer maybe", by="bob"), "neither yes nor no.*Asked was: Traffic drained"),
        (a_comment("/runbook answer q2 yes", by="bob"), "q2 is not open"),
        (a_comment("/runbook answer yes", by="bob", number=9), "written before q1 was asked"),
    ],
)
def test_an_answer_that_does_not_count_is_refused_with_its_reason(comment: Comment, why: str) -> None:
    assert re.search(why, refused(answered(comment)))


def test_an_answer_after_its_time_is_refused() -> None:
    assert "was over at" in refused(answered(a_comment("/runbook answer yes", by="bob"), late=True))


def test_of_two_answers_the_first_is_taken_and_the_second_is_judged_when_that_is_on_record() -> None:
    comments = [a_comment(f"/runbook answer {word}", by="bob", number=at) for at, word in enumerate(("no", "yes"), 1)]
    found = answered(*comments)
    (first,) = found.record
    assert isinstance(first.body, bodies.Answer)
    assert (first.body.value, found.refuse) == (False, [])
    after = a_run(START, ASKED, first.body, plan=PLAN)
    again = collect(ANSWERING, commands_of(a_thread(*comments), bot="runbook"), runs=(after,), members=MEMBERS)
    assert again.record == []
    assert [one.reason for one in again.refuse] == ["nothing is asked on this issue now"]


def test_a_command_that_left_the_run_out_stays_recorded_when_that_run_is_over() -> None:
    over = a_run(Cancel(plan_digest=PLAN.digest, mode="leave", said=some_words("alice", "7/1")), plan=PLAN)
    found = collected(a_comment("/runbook cancel --leave", by="alice"), runs=(over,))
    assert (found.record, found.refuse) == ([], [])


URGENT = a_plan(requested=requested_by("alice"), emergency="smoke", owes_by="2026-11-23T20:00:00.000Z")
STARTED = replace(A_START, plan_digest=URGENT.digest)


def afterwards(by: str, *, owed: Owed | None) -> Collected:
    known = dataclasses.replace(a_run(STARTED, plan=URGENT), owed=owed)
    return collected(a_comment(f"/runbook approve {URGENT.digest[:12]} saw it", by=by), runs=(known,))


def test_an_emergency_takes_after_its_start_what_it_owes_and_from_those_who_can_give_it() -> None:
    debt = Owed(made=NOW, due=NOW, missing=("1 more of bob",), may_approve=(PersonId("bob"),))
    (record,) = afterwards("bob", owed=debt).record
    assert isinstance(record.body, Approve)
    assert refused(afterwards("eve", owed=debt)) == "eve cannot give what it owes: 1 more of bob"
    assert "the requester's own yes never counts" in refused(afterwards("alice", owed=debt))


def test_an_emergency_that_owes_nothing_takes_no_approval_any_more() -> None:
    assert refused(afterwards("bob", owed=None)) == "it has every approval that it needs"
