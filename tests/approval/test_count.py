from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runner.approval.approval import Approval
from runner.approval.count import AHEAD, Count, count
from runner.approval.policy import read
from runner.digest import sha256
from runner.ports.forge import PersonId
from tests.builders import NOW, a_plan, a_yes

GROUPS = """
[groups]
dba = ["bob", "eve"]
oncall = ["carol", "bob"]
[[rule]]
name = "r"
request = ["*"]
"""
ONE = 'approve = {count = 1, from = ["@dba"]}'
BOTH = 'approve = [{count = 1, from = ["@dba"]}, {count = 1, from = ["@oncall"]}]'
MEMBERS = frozenset(PersonId(name) for name in ("alice", "bob", "carol", "eve"))


def counted(approve: str, *yeses: Approval, **changes: Any) -> Count:
    facts: dict[str, Any] = {
        "signed": True,
        "digest": a_plan().digest,
        "requester": PersonId("alice"),
        "members": MEMBERS,
        "now": NOW,
    }
    return count(read(GROUPS + approve).rules[0], approvals=yeses, **(facts | changes))


def test_a_valid_yes_counts() -> None:
    found = counted(ONE, a_yes("bob", number=8))
    assert found.missing == ()
    assert found.used == (8,)
    assert found.void == ()


@pytest.mark.parametrize(
    ("yes", "says"),
    [
        (a_yes("bob", plan=sha256(b"x")), "it is for the plan"),
        (a_yes("bob", fault="revoked"), "revoked"),
        (a_yes("bob", verified=False), "nothing proves who wrote it"),
        (a_yes("mallory"), "no member of this project any more"),
        (a_yes("bob", at=NOW + AHEAD + timedelta(seconds=1)), "dated in the future"),
        (a_yes("carol"), "policy asks @dba"),
        (a_yes("bob", at=NOW - timedelta(hours=24)), "it expired at 2026-11-23 12:00 UTC"),
    ],
)
def test_a_void_yes_does_not_count_and_the_reason_is_told(yes: Approval, says: str) -> None:
    found = counted(ONE, yes)
    assert len(found.missing) == 1
    assert found.used == ()
    assert len(found.void) == 1
    assert says in found.void[0]


def test_the_requesters_own_yes_never_counts_however_it_is_spelt() -> None:
    for name in ("bob", "Bob"):
        found = counted(ONE, a_yes("bob"), requester=PersonId(name))
        assert found.missing == ('rule "r" needs 1 more of @dba (eve)',)
        assert "the requester's own yes never counts" in found.void[0]


def test_a_rule_may_let_the_requester_approve() -> None:
    own = 'approve = {count = 1, from = ["@dba"], requester_excluded = false}'
    assert counted(own, a_yes("bob"), requester=PersonId("bob")).missing == ()


def test_a_yes_is_valid_until_the_second_it_expires() -> None:
    assert counted(ONE, a_yes("bob", at=NOW - timedelta(hours=24) + timedelta(seconds=1))).missing == ()


def test_an_unverified_yes_counts_where_policy_asks_for_no_signature() -> None:
    assert counted(ONE, a_yes("bob", verified=False), signed=False).missing == ()


def test_the_same_person_twice_is_one_person() -> None:
    two = 'approve = {count = 2, from = ["@dba"]}'
    found = counted(two, a_yes("bob", number=3), a_yes("bob", number=4), a_yes("BOB", number=5))
    assert found.missing == ('rule "r" needs 1 more of @dba (eve)',)
    assert counted(two, a_yes("bob", number=3), a_yes("eve", number=4)).used == (3, 4)


def test_a_second_yes_replaces_one_that_expired() -> None:
    old = a_yes("bob", number=3, at=NOW - timedelta(hours=30))
    assert counted(ONE, old, a_yes("bob", number=9)).used == (9,)


def test_one_person_takes_one_place_unless_the_rule_says_otherwise() -> None:
    assert len(counted(BOTH, a_yes("bob")).missing) == 1
    found = counted(BOTH + "\nsame_person = true", a_yes("bob"))
    assert found.missing == ()
    assert found.used == (3,)


@pytest.mark.parametrize("order", [("bob", "carol"), ("carol", "bob"), ("bob", "eve"), ("eve", "bob")])
def test_places_are_given_so_that_all_can_sit(order: tuple[str, str]) -> None:
    yeses = [a_yes(name, number=number) for number, name in enumerate(order, start=3)]
    assert counted(BOTH, *yeses).missing == ()
    assert counted(BOTH.replace("dba", "x").replace("oncall", "dba").replace("x", "oncall"), *yeses).missing == ()


def test_what_is_missing_names_only_those_who_still_could() -> None:
    found = counted(BOTH, a_yes("bob"))
    assert set(found.may_approve) <= {"carol", "eve"}
    assert found.may_approve


def test_nobody_left_is_said() -> None:
    found = counted('approve = {count = 1, from = ["bob"]}', requester=PersonId("bob"))
    assert found.missing == ('rule "r" needs 1 more of bob; nobody is left who could',)


def test_any_member_may_be_asked_for() -> None:
    found = counted('approve = {count = 1, from = ["*"]}')
    assert found.missing == ('rule "r" needs 1 more of any member',)
    assert found.may_approve == ("*",)


def test_a_rule_that_needs_nothing_is_met_and_says_so() -> None:
    found = counted("approve = {count = 0}")
    assert found.missing == ()
    assert found.met == 'rule "r" needs no approval'


def test_the_requester_under_another_name_is_the_requester() -> None:
    assert counted(ONE, a_yes("bob", by_requester=True)).missing
    assert not counted(
        ONE.replace('"@dba"]', '"@dba"], requester_excluded = false'), a_yes("bob", by_requester=True)
    ).missing
