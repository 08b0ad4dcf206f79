"""The merge as approval: judged by the same decision, on the same people."""

from __future__ import annotations

from typing import Any

import pytest

from runner.approval.approval import Approval, Resumption
from runner.approval.collect import collect, commands_of
from runner.approval.decide import Decision, Verdict, decide
from runner.approval.merging import ABSENT, Stage, Standing, in_review, place, still_merged
from runner.approval.policy import read
from runner.ledger.bodies import Approve
from runner.plan.plan import Plan
from runner.ports.forge import PersonId
from runner.ports.review import Merge, ReviewState
from tests.approval.test_decide import EVERYBODY, POLICY
from tests.builders import NOW, a_comment, a_plan, a_proposing_plan, a_review, a_run, a_thread, a_yes

PLAN = a_proposing_plan()
MERGED = Standing(stage=Stage.MERGED, where="!1", by="bob@example.org")
OPEN = Standing(stage=Stage.OPEN, where="!1 https://gitlab.example.org/1")


def judge(*yeses: Approval, proposed: Standing = ABSENT, plan: Plan = PLAN, **more: Any) -> Decision:
    facts: dict[str, Any] = {"digest": plan.digest, "members": EVERYBODY, "now": NOW}
    return decide(read(POLICY), plan=plan, approvals=yeses, proposed=proposed, **(facts | more))


def yes(by: str = "bob@example.org", **changes: Any) -> Approval:
    return a_yes(by, plan=PLAN.digest, **({"comment": place("!1", by)} | changes))


def test_a_merge_by_one_whom_policy_names_allows() -> None:
    decision = judge(yes(), proposed=MERGED)
    assert (decision.verdict, decision.used) == (Verdict.ALLOWED, (3,))


@pytest.mark.parametrize("standing", [ABSENT, OPEN])
def test_approvals_alone_start_nothing_before_the_merge(standing: Standing) -> None:
    decision = judge(yes(), proposed=standing)
    assert decision.verdict is Verdict.PENDING
    assert not decision.enough
    assert "merge" in decision.reasons[0] or "review" in decision.reasons[0]


def test_who_is_still_asked_is_said_while_it_is_open() -> None:
    assert judge(proposed=OPEN).may_approve == ("bob@example.org", "eve@example.org")


def test_a_merge_by_somebody_insufficient_denies_and_says_why() -> None:
    by = Standing(stage=Stage.MERGED, where="!1", by="dan@example.org")
    decision = judge(yes("dan@example.org"), proposed=by)
    assert decision.verdict is Verdict.DENIED
    assert decision.reasons[0].startswith("its change was merged by dan@example.org, and that is not the approval")
    assert any("dan@example.org does not count: policy asks @dba" in reason for reason in decision.reasons)


def test_the_requesters_own_merge_is_not_enough() -> None:
    by = Standing(stage=Stage.MERGED, where="!1", by="alice@example.org")
    assert judge(yes("alice@example.org"), proposed=by).verdict is Verdict.DENIED


def test_a_merge_that_nothing_proves_is_not_enough() -> None:
    decision = judge(proposed=Standing(stage=Stage.MERGED, where="b"))
    assert "somebody whom nothing proves" in decision.reasons[0]


def test_a_later_attempt_may_wait_for_a_new_yes_since_a_merge_is_not_given_twice() -> None:
    resumed = Resumption(number=9, by=PersonId("alice@example.org"), verified=True)
    assert judge(yes(), proposed=MERGED, resumption=resumed).verdict is Verdict.PENDING
    comment = a_yes("bob@example.org", number=10, plan=PLAN.digest)
    assert judge(yes(), comment, proposed=MERGED, resumption=resumed).used == (10,)


def test_what_is_wrong_with_the_merge_denies_whoever_merged() -> None:
    wrong = Standing(stage=Stage.MERGED, where="!1", by="bob@example.org", wrong=("it is another file",))
    assert judge(yes(), proposed=wrong).reasons == ("it is another file",)
    altered = Standing(stage=Stage.OPEN, where="!1", wrong=("its branch held something else",))
    assert judge(yes(), proposed=altered).verdict is Verdict.DENIED


def test_a_closed_review_denies() -> None:
    closed = Standing(stage=Stage.CLOSED, where="!1", by="bob@example.org")
    assert judge(yes(), proposed=closed).reasons == ("its change (!1) was closed by bob@example.org and is not merged",)


def test_a_plan_that_opens_files_and_proposes_none_is_denied() -> None:
    plan = a_plan(proposes=("infra/*",))
    assert judge(a_yes(plan=plan.digest), plan=plan).verdict is Verdict.DENIED


def test_yeses_of_a_review_are_held_against_it_as_it_reads_now() -> None:
    bob, eve, dan = (PersonId(f"{name}@example.org") for name in ("bob", "eve", "dan"))
    review = a_review(ReviewState.MERGED, approved_by=(eve,), merge=Merge(commit="c" * 40, by=bob, verified=True))
    given = (yes(bob), yes(eve), yes(dan), a_yes(dan))
    assert [bool(one.fault) for one in still_merged(given, review)] == [False, False, True, False]
    assert [bool(one.fault) for one in still_merged(given, None)] == [True, True, True, False]
    assert in_review(place("!1", "bob"))
    assert not in_review("7/3")


def test_a_yes_in_a_comment_is_refused_and_one_for_a_later_attempt_is_not() -> None:
    thread = a_thread(a_comment(f"/runbook approve {PLAN.digest[:12]}", by="bob@example.org"))
    found = commands_of(thread, bot="runbook")
    collected = collect(read(POLICY), found, runs=[a_run(plan=PLAN)], members=EVERYBODY)
    assert collected.record == []
    assert "the merge of that change is its approval" in collected.refuse[0].reason
    plain = commands_of(a_thread(a_comment(f"/runbook approve {a_plan().digest[:12]}")), bot="runbook")
    (one,) = collect(read(POLICY), plain, runs=[a_run()], members=EVERYBODY).record
    assert isinstance(one.body, Approve)
