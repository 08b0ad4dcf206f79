"""What emergencies owe, as the record tells it; and what somebody with the runner's key could make up about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from runner.audit.finding import Debt, Report
from runner.audit.source import opened
from runner.audit.verify import verify
from runner.digest import Digest
from runner.ledger.bodies import Approve, Said
from runner.ledger.event import iso
from runner.plan.plan import Plan
from tests.audit.ledgers import BEGIN, BOB, POLICY_TEXT, History, begin, commit_code

EMERGENCY = 'emergency = {request = ["alice@example.org"], approve = {count = 0}, due = "8h"}\n'


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    made = begin(tmp_path)
    made.main = commit_code(made.objects, made.keys, parent=made.main, policy=POLICY_TEXT + EMERGENCY)
    yield made
    made.close()


def emergency(history: History) -> Plan:
    """An emergency that has run, with nobody's approval."""
    plan = history.plan(emergency="the shop is down", owes_by=iso(BEGIN + timedelta(hours=8)))
    history.start(plan, approvals=())
    history.finish(plan)
    return plan


def judge(history: History, *, hours: int = 1) -> Report:
    with opened("", at=history.path) as source:
        return verify(source, now=BEGIN + timedelta(hours=hours), processes=1)


def pay(history: History, plan: Plan, said: Said, *, digest: Digest | None = None) -> None:
    history.about(plan, Approve(plan_digest=digest or plan.digest, said=said))


def yes(history: History, plan: Plan) -> Said:
    return history.said(BOB, f"/runbook approve {plan.digest[:12]}", number=3)


def test_what_is_owed_is_listed_and_no_violation_even_when_it_is_overdue(history: History) -> None:
    plan = emergency(history)
    missing = ('rule "all" needs 1 more of @ops (bob@example.org, eve@example.org)',)
    for hours, overdue in ((1, False), (9, True)):
        report = judge(history, hours=hours)
        assert report.violated() == ()
        assert report.owed == (Debt(run=plan.run, missing=missing, due=plan.owes_by, overdue=overdue),)


def test_what_is_paid_is_not_listed_any_more(history: History) -> None:
    plan = emergency(history)
    pay(history, plan, yes(history, plan))
    report = judge(history)
    assert (report.violated(), report.owed) == ((), ())


def test_an_emergency_that_policy_does_not_know_is_a_violation(history: History) -> None:
    history.main = commit_code(history.objects, history.keys, parent=history.main)
    emergency(history)
    assert judge(history).violated() == ("I10",)


def test_a_debt_paid_in_somebodys_name_is_a_violation(history: History) -> None:
    plan = emergency(history)
    said, stranger = yes(history, plan), history.said("second", "/runbook approve 000000000000", number=4)
    pay(history, plan, replace(said, signature=stranger.signature))
    assert judge(history).violated() == ("I11",)


def test_a_debt_paid_with_a_yes_to_another_plan_is_a_violation(history: History) -> None:
    plan, other = emergency(history), history.plan()
    pay(history, plan, yes(history, other))
    assert "I10" in judge(history).violated()


def test_an_approval_after_the_start_of_an_ordinary_run_is_a_violation(history: History) -> None:
    plan = history.whole()
    pay(history, plan, yes(history, plan))
    assert judge(history).violated() == ("I8",)


def test_a_plan_that_hides_what_it_owes_is_a_violation(history: History) -> None:
    plan = history.plan(emergency="the shop is down", owes_by="")
    history.start(plan, approvals=())
    history.finish(plan)
    assert judge(history).violated() == ("I9",)


def test_a_debt_that_is_due_later_than_policy_says_is_a_violation(history: History) -> None:
    plan = history.plan(emergency="the shop is down", owes_by=iso(BEGIN + timedelta(days=8)))
    history.start(plan, approvals=())
    history.finish(plan)
    assert judge(history).violated() == ("I10",)
