from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from msgspec.structs import replace

from runner.approval.decide import Verdict
from runner.approval.policy import read
from runner.approval.rights import Actor, may, may_halt
from runner.ports.forge import PersonId
from runner.request.command import Verb
from tests.builders import a_plan, a_yes, requested_by

POLICY = """
halt = ["carol"]
[[rule]]
name = "production"
target = ["prod/*"]
request = ["*"]
approve = {count = 1, from = ["bob", "alice"]}
cancel = ["carol"]
resolve = ["carol", "dan"]
answer = ["carol", "dan"]
[[rule]]
name = "staging"
target = ["staging/*"]
request = ["*"]
approve = {count = 1, from = ["eve"]}
resolve = ["dan"]
answer = ["dan"]
"""
PLAN = a_plan(requested=requested_by("alice"))
BOTH = a_plan(requested=requested_by("alice"), targets=("prod/1", "staging/1"))


def actor(person: str, *, verified: bool = True, member: bool = True) -> Actor:
    return Actor(person=PersonId(person), verified=verified, member=member)


def refusal(verb: Verb, person: str, *, policy: str = POLICY, **facts: Any) -> str:
    decision = may(read(policy), verb, actor=actor(person), **({"plan": PLAN} | facts))
    return "" if decision.verdict is Verdict.ALLOWED else decision.reasons[0]


DOING = [Verb.APPROVE, Verb.REVOKE, Verb.REJECT, Verb.CANCEL, Verb.RESOLVE, Verb.RESUME, Verb.ANSWER]


@pytest.mark.parametrize("verb", DOING)
def test_under_an_empty_policy_nobody_may_do_anything(verb: Verb) -> None:
    assert "no rules" in refusal(verb, "alice", policy="")


@pytest.mark.parametrize("verb", DOING)
def test_a_stranger_and_an_unproven_name_may_do_nothing(verb: Verb) -> None:
    for who, says in [(actor("bob", member=False), "not a member"), (actor("bob", verified=False), "nothing proves")]:
        decision = may(read(POLICY), verb, actor=who, plan=PLAN, approvals=[a_yes("bob")])
        assert decision.verdict is Verdict.DENIED
        assert says in decision.reasons[0]


def test_an_unproven_name_is_enough_where_policy_says_so() -> None:
    policy = read('identity = "unverified"\n' + POLICY)
    assert may(policy, Verb.APPROVE, actor=actor("bob", verified=False), plan=PLAN).allowed


def test_approvers_approve_and_the_requester_does_not() -> None:
    assert refusal(Verb.APPROVE, "bob") == ""
    assert "the requester's own yes never counts" in refusal(Verb.APPROVE, "alice")
    assert refusal(Verb.APPROVE, "mallory") == "mallory is not one of its approvers: bob, alice"
    assert refusal(Verb.APPROVE, "eve", plan=BOTH) == ""


def test_a_requester_may_approve_where_the_rule_says_so() -> None:
    own = POLICY.replace('"alice"]}', '"alice"], requester_excluded = false}')
    assert refusal(Verb.APPROVE, "alice", policy=own) == ""


def test_where_no_approval_is_needed_none_is_taken() -> None:
    none = POLICY.replace('{count = 1, from = ["bob", "alice"]}', "{count = 0}")
    assert refusal(Verb.APPROVE, "bob", policy=none) == "no approval is needed for it"


def test_only_the_same_person_takes_a_yes_back() -> None:
    assert refusal(Verb.REVOKE, "bob", approvals=[a_yes("bob")]) == ""
    assert "no approval by carol" in refusal(Verb.REVOKE, "carol", approvals=[a_yes("bob")])
    assert "no approval by bob" in refusal(Verb.REVOKE, "bob", approvals=[a_yes("bob", fault="revoked")])


def test_any_approver_of_any_target_rejects() -> None:
    assert refusal(Verb.REJECT, "bob") == ""
    assert refusal(Verb.REJECT, "eve", plan=BOTH) == ""
    assert "not one of its approvers" in refusal(Verb.REJECT, "eve")


def test_requester_approvers_and_those_on_call_cancel() -> None:
    assert [refusal(Verb.CANCEL, name) for name in ("alice", "bob", "carol")] == ["", "", ""]
    assert "neither its requester" in refusal(Verb.CANCEL, "mallory")


def test_the_rules_of_all_targets_have_to_let_a_person_resolve() -> None:
    assert refusal(Verb.RESOLVE, "carol") == ""
    assert refusal(Verb.RESOLVE, "dan", plan=BOTH) == ""
    assert refusal(Verb.RESOLVE, "carol", plan=BOTH) == "policy lets dan resolve it"
    assert refusal(Verb.RESOLVE, "bob") == "policy lets carol, dan resolve it"


def test_whoever_may_request_it_on_all_targets_may_resume_it() -> None:
    some = POLICY.replace('request = ["*"]', 'request = ["alice"]', 1)
    assert refusal(Verb.RESUME, "alice", policy=some) == ""
    assert refusal(Verb.RESUME, "bob", policy=some, plan=BOTH) == "policy lets alice request it, and so resume it"
    assert refusal(Verb.RESUME, "bob", policy=some, plan=a_plan(targets=("lab/1",))).startswith("policy lets nobody")


def test_where_no_rule_speaks_nobody_approves_or_resolves() -> None:
    nowhere = a_plan(targets=("lab/1",), requested=requested_by("alice"))
    assert refusal(Verb.APPROVE, "bob", plan=nowhere)
    assert refusal(Verb.REJECT, "bob", plan=nowhere)
    assert refusal(Verb.RESOLVE, "dan", plan=nowhere) == "policy lets nobody resolve it"


@pytest.mark.parametrize("verb", [Verb.RUN, Verb.REVERT, Verb.STATUS, Verb.HELP])
def test_what_is_not_done_to_a_run_is_not_allowed_here(verb: Verb) -> None:
    assert refusal(verb, "alice") == f"{verb.value} is not done to a run"


def test_only_those_whom_policy_names_halt() -> None:
    policy = read(POLICY)
    assert may_halt(policy, actor("carol")).allowed
    assert not may_halt(policy, actor("bob")).allowed
    assert not may_halt(policy, actor("carol", member=False)).allowed
    assert not may_halt(read('halt = ["carol"]'), actor("carol")).allowed


def test_an_account_is_the_person_and_the_name_alone_is_nobody() -> None:
    plan = a_plan(requested=replace(requested_by("alice"), account="1"))
    heir = Actor(person=PersonId("alice"), verified=True, member=True, account="9")
    renamed = Actor(person=PersonId("bob"), verified=True, member=True, account="1")
    policy = read(POLICY.replace('"bob", "alice"', '"bob"'))
    assert may(policy, Verb.CANCEL, actor=heir, plan=plan).verdict is Verdict.DENIED
    assert may(policy, Verb.APPROVE, actor=renamed, plan=plan).reasons == (
        "the requester's own yes never counts: somebody else has to approve",
    )
    mine = [a_yes("alice", account="1")]
    assert may(policy, Verb.REVOKE, actor=heir, plan=plan, approvals=mine).verdict is Verdict.DENIED
    assert may(policy, Verb.REVOKE, actor=dataclasses.replace(heir, account="1"), plan=plan, approvals=mine).allowed
