"""Break-glass: whom policy names may go without approvals while nobody can be asked, and without nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runner.approval.glass import may_break_glass
from runner.approval.policy import read
from runner.approval.rules import Policy
from runner.ledger.bodies import QuestionKind
from runner.plan.plan import Asks, Plan
from tests.builders import a_plan, requested_by

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RULES = """
[[rule]]
name = "databases"
target = ["db/*"]
request = ["bob"]
approve = {count = 2, from = ["*"]}
break_glass = ["carol"]
isolation = "subreaper"
secrets = ["PGADMIN"]
emergency = {request = ["bob"], approve = {count = 0}, despite_freeze = true}

[[rule]]
name = "the rest"
request = ["*"]
approve = {count = 0}
"""
POLICY = read(RULES)
FROZEN = "[[freeze]]\nname = 'quiet'\nfrom = 2026-11-01T00:00:00Z\nuntil = 2026-12-01T00:00:00Z\n"
PLAN = a_plan(
    requested=requested_by("carol"),
    targets=("db/1",),
    isolation="subreaper",
    read_secrets=(),
    change_secrets=("PGADMIN",),
    questions=(),
)
ASKS = Asks(cell="c", step="stop", kind=QuestionKind.CONFIRM, text="Drained?", parameter="", within=60.0)


def refused(plan: Plan = PLAN, *, policy: Policy = POLICY, member: bool = True, halted: bool = False) -> str:
    decision = may_break_glass(policy, plan=plan, member=member, now=NOW, halted=halted)
    return "" if decision.allowed else "; ".join(decision.reasons)


def changed(**changes: object) -> Plan:
    return a_plan(
        **{
            "requested": PLAN.requested,
            "targets": PLAN.targets,
            "isolation": PLAN.isolation,
            "read_secrets": (),
            "change_secrets": PLAN.change_secrets,
            "questions": (),
        }
        | changes
    )


def test_whom_the_rule_names_may_without_any_approval() -> None:
    assert refused() == ""


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (changed(requested=requested_by("bob")), "policy lets carol run this on db/1 by break-glass"),
        (changed(targets=("db/1", "web/1")), "policy lets nobody run this on web/1 by break-glass"),
        (changed(targets=()), "names no target"),
        (changed(requested=requested_by("carol", verified=False)), "did not sign"),
        (changed(change_secrets=("ROOT",)), "does not give"),
        (changed(isolation="none"), "needs isolation subreaper"),
        (changed(questions=(ASKS,)), "it asks people before stop"),
        (changed(proposes=("infra/*",)), "it proposes a change to files"),
    ],
    ids=[
        "another person",
        "another rule",
        "no target",
        "no signature",
        "a secret",
        "isolation",
        "a question",
        "a change",
    ],
)
def test_everything_else_that_policy_asks_for_it_still_asks_for(plan: Plan, words: str) -> None:
    assert words in refused(plan)


def test_a_halt_a_stranger_and_an_empty_policy_refuse() -> None:
    assert "everything is halted" in refused(halted=True)
    assert "not a member" in refused(member=False)
    assert "no rules" in refused(policy=Policy())


def test_a_freeze_holds_it_unless_emergencies_start_despite_it() -> None:
    assert refused(policy=read(RULES + FROZEN)) == ""
    assert "quiet" in refused(policy=read(RULES.replace("true", "false") + FROZEN))
