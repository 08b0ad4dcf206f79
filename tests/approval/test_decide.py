from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.approval.approval import Approval
from runner.approval.decide import Decision, Verdict, decide, may_request, people_of
from runner.approval.periods import Kept
from runner.approval.policy import read
from runner.approval.rules import Policy
from runner.digest import sha256
from runner.ledger.bodies import Rehearsal
from runner.plan.plan import Plan
from runner.ports.forge import FreezePeriod, PersonId
from tests.builders import NOW, a_plan, a_yes, rehearsed, requested_by

POLICY = """
[groups]
dba = ["bob@example.org", "eve@example.org"]
[[rule]]
name = "production"
target = ["prod/*"]
request = ["alice@example.org", "@dba"]
approve = {count = 1, from = ["@dba"]}
[[rule]]
name = "staging"
target = ["staging/*"]
request = ["*"]
approve = {count = 0}
"""

EVERYBODY = frozenset(PersonId(f"{name}@example.org") for name in ("alice", "bob", "carol", "dan", "eve"))


def judge(policy: str | Policy = POLICY, *yeses: Approval, plan: Plan | None = None, **changes: Any) -> Decision:
    plan = plan or a_plan()
    facts: dict[str, Any] = {"digest": plan.digest, "members": EVERYBODY, "now": NOW}
    parsed = read(policy) if isinstance(policy, str) else policy
    return decide(parsed, plan=plan, approvals=yeses, **(facts | changes))


def yes(plan: Plan, by: str = "bob@example.org", number: int = 3, **changes: Any) -> Approval:
    return a_yes(by, number=number, plan=plan.digest, **changes)


def test_the_approval_of_one_whom_policy_names_allows() -> None:
    decision = judge(POLICY, a_yes("bob@example.org", number=3))
    assert decision.verdict is Verdict.ALLOWED
    assert decision.used == (3,)
    assert decision.reasons == ('rule "production" is satisfied by bob@example.org',)


def test_without_an_approval_it_waits_and_says_who_may_give_it() -> None:
    decision = judge(POLICY)
    assert decision.verdict is Verdict.PENDING
    assert decision.reasons == ('rule "production" needs 1 more of @dba (bob@example.org, eve@example.org)',)
    assert decision.may_approve == ("bob@example.org", "eve@example.org")
    assert decision.until is None


def test_a_rule_may_ask_for_no_approval() -> None:
    decision = judge(POLICY, plan=a_plan(targets=("staging/web-1",)))
    assert decision.verdict is Verdict.ALLOWED
    assert decision.used == ()


def test_step_1_an_empty_policy_denies() -> None:
    assert judge("", a_yes()).reasons == ("the policy has no rules, so nothing may run",)
    assert judge("", a_yes()).verdict is Verdict.DENIED


def test_step_2_a_plan_without_a_target_is_denied() -> None:
    plan = a_plan(targets=())
    assert judge(POLICY, yes(plan), plan=plan).verdict is Verdict.DENIED


def test_step_3_a_requester_who_left_the_project_is_denied() -> None:
    decision = judge(POLICY, a_yes(), members=EVERYBODY - {"alice@example.org"})
    assert decision.verdict is Verdict.DENIED
    assert decision.reasons == ("alice@example.org is not a member of this project",)


def test_step_4_an_unproven_requester_is_denied_unless_policy_says_otherwise() -> None:
    plan = a_plan(requested=requested_by("alice@example.org", verified=False))
    assert judge(POLICY, yes(plan), plan=plan).verdict is Verdict.DENIED
    assert judge('identity = "unverified"\n' + POLICY, yes(plan), plan=plan).verdict is Verdict.ALLOWED


def test_step_5_a_target_without_a_rule_denies_the_whole_plan() -> None:
    plan = a_plan(targets=("prod/web-1", "lab/web-1"))
    decision = judge(POLICY, yes(plan), plan=plan)
    assert decision.verdict is Verdict.DENIED
    assert decision.reasons == ("no rule speaks of disk-cleanup (risk high) on lab/web-1",)


def test_step_6_a_requester_whom_the_newest_policy_does_not_let_is_denied() -> None:
    plan = a_plan(requested=requested_by("dan@example.org"))
    decision = judge(POLICY, yes(plan), plan=plan)
    assert decision.verdict is Verdict.DENIED
    assert "dan@example.org may not request this on prod/web-1" in decision.reasons[0]


def test_step_7_a_failed_rehearsal_cannot_be_approved() -> None:
    plan = a_plan(rehearsal=rehearsed(Rehearsal.FAILED))
    decision = judge(POLICY, yes(plan), plan=plan)
    assert decision.verdict is Verdict.DENIED
    assert "rehearsal failed" in decision.reasons[0]


def test_a_plan_with_nothing_to_rehearse_can_be_approved() -> None:
    plan = a_plan(rehearsal=rehearsed(Rehearsal.NOTHING))
    assert judge(POLICY, yes(plan), plan=plan).allowed


@pytest.mark.parametrize(("late", "verdict"), [(0, Verdict.DENIED), (-1, Verdict.ALLOWED)])
def test_step_8_an_expired_plan_is_denied_to_the_second(late: int, verdict: Verdict) -> None:
    plan = a_plan(expires_at=(NOW + timedelta(seconds=-late)).isoformat())
    assert judge(POLICY, yes(plan), plan=plan).verdict is verdict


def test_step_9_an_unreviewed_runbook_runs_only_where_policy_lets_it() -> None:
    plan = a_plan(unreviewed=True)
    assert judge(POLICY, yes(plan), plan=plan).verdict is Verdict.DENIED
    assert judge('unreviewed = ["dev/*"]\n' + POLICY, yes(plan), plan=plan).verdict is Verdict.DENIED
    assert judge('unreviewed = ["prod/*"]\n' + POLICY, yes(plan), plan=plan).allowed


@pytest.mark.parametrize("kind", ["read_secrets", "change_secrets"])
def test_step_10_a_secret_that_the_rule_does_not_give_is_denied(kind: str) -> None:
    plan = a_plan(**{kind: ("PGADMIN",)})
    decision = judge(POLICY, yes(plan), plan=plan)
    assert decision.verdict is Verdict.DENIED
    assert decision.reasons == ('rule "production" does not give disk-cleanup the secret PGADMIN',)
    given = POLICY.replace('name = "production"', 'name = "production"\nsecrets = ["PGADMIN"]')
    assert judge(given, yes(plan), plan=plan).allowed


@pytest.mark.parametrize("weak", ["none", "subreaper", "nonsense"])
def test_step_11_too_little_isolation_is_denied(weak: str) -> None:
    strict = POLICY.replace('name = "production"', 'name = "production"\nisolation = "bwrap"')
    plan = a_plan(isolation=weak)
    decision = judge(strict, yes(plan), plan=plan)
    assert decision.verdict is Verdict.DENIED
    assert decision.reasons == (f'rule "production" needs isolation bwrap; the plan has {weak}',)
    plan = a_plan(isolation="container")
    assert judge(strict, yes(plan), plan=plan).allowed


def test_an_unknown_isolation_is_denied_even_where_none_is_enough() -> None:
    plan = a_plan(isolation="nonsense")
    assert judge(POLICY, yes(plan), plan=plan).verdict is Verdict.DENIED


def test_step_12_the_rules_of_all_targets_have_to_be_satisfied() -> None:
    two = POLICY.replace("count = 0", 'count = 1, from = ["carol@example.org"]')
    plan = a_plan(targets=("prod/web-1", "staging/web-1"))
    half = judge(two, yes(plan), plan=plan)
    assert half.verdict is Verdict.PENDING
    assert half.may_approve == ("carol@example.org",)
    whole = judge(two, yes(plan), yes(plan, "carol@example.org", 4), plan=plan)
    assert whole.verdict is Verdict.ALLOWED
    assert whole.used == (3, 4)


FREEZE = """
[[freeze]]
name = "monday"
every = "mon 00:00 - tue 08:00"
timezone = "UTC"
"""


def test_step_13_a_freeze_holds_an_approved_plan_and_says_until_when() -> None:
    decision = judge(POLICY + FREEZE, a_yes())
    assert decision.verdict is Verdict.PENDING
    assert decision.reasons == ('held by the freeze "monday" until 2026-11-24 08:00+00:00',)
    assert decision.until is not None
    assert judge(POLICY + FREEZE, a_yes(), now=decision.until).allowed


MONDAY = FreezePeriod(id="7", start="0 0 * * 1", end="0 8 * * 2", zone="UTC")
EMERGENCY = """emergency = {request = ["alice@example.org"], approve = {count = 0}, despite_freeze = true}
"""


@pytest.mark.parametrize("kept", [Kept(periods=(MONDAY,)), Kept(problem="GitLab answered 500")])
def test_step_13_a_freeze_of_the_forge_holds_like_one_of_policy_and_what_is_not_known_holds_too(kept: Kept) -> None:
    decision = judge(POLICY, a_yes(), kept=kept)
    assert (decision.verdict, decision.enough) == (Verdict.PENDING, True)
    assert len(decision.reasons) == 1
    if decision.until is not None:
        assert judge(POLICY, a_yes(), kept=kept, now=decision.until + timedelta(seconds=1)).allowed
    assert (decision.until is None) is bool(kept.problem)
    assert judge(POLICY + "[freeze_periods]\ntarget = 'staging/*'\n", a_yes(), kept=kept).allowed
    hurried = a_plan(emergency="it burns", owes_by="2026-11-24T12:00:00Z")
    text = POLICY.replace('[[rule]]\nname = "staging"', EMERGENCY + '[[rule]]\nname = "staging"')
    assert judge(text, plan=hurried, kept=kept).allowed
    assert not judge(text.replace("despite_freeze = true", "despite_freeze = false"), plan=hurried, kept=kept).allowed


def test_waiting_for_the_end_of_a_freeze_alone_does_not_help_where_an_approval_is_missing() -> None:
    decision = judge(POLICY + FREEZE)
    assert len(decision.reasons) == 2
    assert decision.until is None


def test_all_reasons_of_a_denial_are_told_at_once() -> None:
    plan = a_plan(rehearsal=rehearsed(Rehearsal.FAILED), change_secrets=("A", "B"), unreviewed=True)
    assert len(judge(POLICY, plan=plan).reasons) == 4


def test_void_approvals_are_named_with_the_reason() -> None:
    decision = judge(POLICY, a_yes(plan=sha256(b"another plan")))
    assert decision.verdict is Verdict.PENDING
    assert any("bob@example.org does not count: it is for the plan" in reason for reason in decision.reasons)


def test_those_whose_membership_matters_are_requester_and_approvers() -> None:
    assert people_of(a_plan(), [a_yes("bob@example.org")]) == {"alice@example.org", "bob@example.org"}


APPROVALS = st.lists(
    st.builds(
        a_yes,
        st.sampled_from(sorted(EVERYBODY)),
        number=st.integers(1, 50),
        verified=st.booleans(),
        fault=st.sampled_from(["", "", "revoked"]),
        at=st.integers(-48, 1).map(lambda hours: NOW + timedelta(hours=hours)),
    ),
    max_size=6,
    unique_by=lambda approval: approval.number,
)

TWO_OF_TWO = read(
    """
[groups]
dba = ["bob@example.org", "eve@example.org", "alice@example.org"]
[[rule]]
name = "production"
request = ["*"]
approve = [{count = 2, from = ["@dba"]}, {count = 1, from = ["*"]}]
"""
)


@given(APPROVALS)
def test_no_set_of_the_requesters_own_approvals_ever_allows(yeses: list[Approval]) -> None:
    own = [a_yes("alice@example.org", number=one.number, at=one.at) for one in yeses]
    for policy in (read(POLICY), TWO_OF_TWO):
        assert judge(policy, *own).verdict is Verdict.PENDING


@given(APPROVALS, st.data())
def test_taking_an_approval_away_never_allows(yeses: list[Approval], data: st.DataObject) -> None:
    if not judge(TWO_OF_TWO, *yeses).allowed and yeses:
        gone = data.draw(st.sampled_from(yeses))
        assert not judge(TWO_OF_TWO, *(one for one in yeses if one is not gone)).allowed


@given(APPROVALS)
def test_what_was_used_is_enough_by_itself_and_every_bit_of_it_is_needed(yeses: list[Approval]) -> None:
    decision = judge(TWO_OF_TWO, *yeses)
    if not decision.allowed:
        assert decision.used == ()
        return
    used = [one for one in yeses if one.number in decision.used]
    assert len({one.by for one in used}) == 3
    assert "alice@example.org" not in {one.by for one in used}
    assert judge(TWO_OF_TWO, *used).allowed
    assert all(not judge(TWO_OF_TWO, *(one for one in used if one is not gone)).allowed for gone in used)


def ask(**changes: Any) -> Decision:
    facts: dict[str, Any] = {
        "runbook": "disk-cleanup",
        "risk": "high",
        "targets": ("prod/web-1",),
        "person": PersonId("alice@example.org"),
        "verified": True,
        "member": True,
    }
    return may_request(read(POLICY), **(facts | changes))


def test_a_request_is_allowed_where_rule_membership_and_proof_agree() -> None:
    assert ask().allowed


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"member": False}, "not a member"),
        ({"verified": False}, "nothing proves"),
        ({"targets": ()}, "no target"),
        ({"targets": ("prod/web-1", "lab/1")}, "no rule speaks"),
        ({"person": PersonId("dan@example.org")}, "may not request"),
    ],
)
def test_a_request_is_denied_with_the_reason(change: dict[str, Any], says: str) -> None:
    decision = ask(**change)
    assert decision.verdict is Verdict.DENIED
    assert says in decision.reasons[0]
