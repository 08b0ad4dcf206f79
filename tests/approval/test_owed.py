"""What an emergency owes: judged on the record alone, so that everybody comes to the same answer, for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from runner.approval.owed import Owed, owed
from runner.approval.policy import read
from tests.builders import a_plan, a_yes, requested_by

POLICY = read(
    """
[[rule]]
name = "production"
request = ["@nobody"]
approve = {count = 2, from = ["bob", "eve", "carol"], expires = "1h"}
emergency = {request = ["carol"], approve = {count = 0}, due = "8h"}

[groups]
nobody = []
"""
)
PLAN = a_plan(
    requested=requested_by("carol"),
    emergency="the shop is down",
    made_at="2026-11-23T12:00:00.000Z",
    owes_by="2026-11-23T20:00:00.000Z",
)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def yes(by: str, number: int = 3, *, after: timedelta = timedelta(hours=1), **changes: object) -> object:
    return a_yes(by, number=number, plan=PLAN.digest, at=NOON + after, **changes)


def owes(*given: object) -> Owed | None:
    return owed(POLICY, plan=PLAN, digest=PLAN.digest, approvals=given)  # type: ignore[arg-type] # made by a_yes


def test_an_emergency_owes_what_its_rules_ask_for_otherwise() -> None:
    found = owes()
    assert found
    assert found.missing == ('rule "production" needs 2 more of bob, eve, carol (bob, eve)',)
    assert found.may_approve == ("bob", "eve"), "not its requester"
    assert owes(yes("bob"), yes("eve", 4)) is None


def test_a_yes_from_before_the_start_counts_and_one_from_long_ago_stays_one() -> None:
    found = owes(yes("bob", after=-timedelta(hours=1)), yes("eve", 4, after=timedelta(days=300)))
    assert found is None


def test_the_requester_pays_nothing_nor_does_a_revoked_unproven_or_other_yes() -> None:
    unpaid = (yes("carol"), yes("bob", 4, fault="revoked"), yes("eve", 5, verified=False))
    found = owes(*unpaid)
    assert found
    assert "needs 2 more" in found.missing[0]


def test_what_is_no_emergency_owes_nothing() -> None:
    assert owed(POLICY, plan=a_plan(), digest=a_plan().digest, approvals=()) is None


def test_without_its_policy_nothing_is_known_to_be_paid() -> None:
    found = owed(None, plan=PLAN, digest=PLAN.digest, approvals=())
    assert found
    assert "cannot be read" in found.missing[0]


def test_it_is_worth_a_reminder_after_half_of_its_time_and_overdue_after_all_of_it() -> None:
    found = owes()
    assert found
    hours = [NOON + timedelta(hours=hour) for hour in (0, 3, 4, 7, 8)]
    assert [found.worth_a_reminder(at) for at in hours] == [False, False, True, True, True]
    assert [found.overdue(at) for at in hours] == [False, False, False, False, True]
    assert found.words(hours[0]).startswith("due by 2026-11-23 20:00 UTC: rule")
    assert found.words(hours[-1]).startswith("overdue since 2026-11-23 20:00 UTC")
