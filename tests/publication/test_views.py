from __future__ import annotations

import pytest

from runner.approval.decide import Decision, Verdict
from runner.digest import sha256
from runner.execution.outcome import ExitReason, Fate
from runner.ledger.bodies import Rehearsal, Rollback, Status
from runner.plan.plan import Parameter, Plan
from runner.publication.notices import Head
from runner.publication.views import PlanView, ResultView, bar, duration, plan_view, result_view
from tests.builders import a_plan, an_outcome, rehearsed

HEAD = Head(number=42, digest=sha256(b"head"))


def seen(plan: Plan, verdict: Verdict = Verdict.PENDING) -> PlanView:
    return plan_view(plan, digest=plan.digest, decision=Decision(verdict=verdict, reasons=()), head=HEAD)


def ended(**changes: object) -> ResultView:
    return result_view(an_outcome(**changes), plan=a_plan(), attempt=1, links=(), head=HEAD)


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(0, "0.0 s"), (4.24, "4.2 s"), (60, "1 min 0 s"), (200.4, "3 min 20 s"), (3600, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_a_length_of_time_reads_well(seconds: float, says: str) -> None:
    assert duration(seconds) == says


@pytest.mark.parametrize(
    ("result", "outputs", "says"),
    [
        (Rehearsal.OK, {"a": "x\n", "b": "y\nPlan: 1 to add\n\n"}, "Plan: 1 to add"),
        (Rehearsal.OK, {"a": "\nwould move 3 files\nfile  bytes\n"}, "would move 3 files"),
        (Rehearsal.OK, {"a": " \n"}, "its plan cells printed nothing"),
        (Rehearsal.NOTHING, {}, "unknown: it has nothing that can be rehearsed"),
        (Rehearsal.FAILED, {"a": "x"}, "unknown: the rehearsal failed"),
    ],
)
def test_how_much_changes_is_the_plans_first_line_or_terraforms_sum(
    result: Rehearsal, outputs: dict[str, str], says: str
) -> None:
    assert seen(a_plan(rehearsal=rehearsed(result, outputs))).changes == says


def test_values_are_shown_exactly() -> None:
    values: dict[str, Parameter] = {
        "a": Parameter(value=" x ", source="request"),
        "b": Parameter(value=[1, None, True], source="default"),
    }
    assert [(one.name, one.value) for one in seen(a_plan(parameters=values)).parameters] == [
        ("a", '" x "'),
        ("b", "[1, null, true]"),
    ]


def test_what_the_sandbox_opens_is_listed() -> None:
    access = {"network": True, "read": ("/etc/nginx",), "write": ("/var/log",), "processes": "host"}
    view = seen(a_plan(**access, read_secrets=("B", "A"), change_secrets=("A",)))
    assert view.opens == ("network", "processes of the host", "read /etc/nginx", "write /var/log")
    assert view.secrets == ("A", "B")


def test_a_failed_rehearsal_and_a_denied_plan_are_not_approvable() -> None:
    assert seen(a_plan()).approvable
    assert not seen(a_plan(), Verdict.DENIED).approvable
    assert not seen(a_plan(rehearsal=rehearsed(Rehearsal.FAILED))).approvable


def test_the_cell_that_failed_is_named_with_its_error() -> None:
    good = an_outcome().cells
    bad = type(good[2])(
        index=3, id="c3", role="change", name="drain", phase="forward", fate=Fate.TIMED_OUT, error="no answer"
    )
    view = ended(status=Status.FAILED, exit_reason=ExitReason.CELL_TIMEOUT, cells=(*good[:2], bad))
    assert (view.failed, view.error, view.ran, view.cells) == ("drain (timed out)", "no answer", 2, 3)


def test_the_next_thing_to_try_is_safe_and_fits_the_outcome() -> None:
    assert ended().next.startswith("runbook verify")
    assert "status" not in ended(status=Status.FAILED, rollback=Rollback.COMPLETE).next
    assert "runbook status" in ended(status=Status.FAILED, rollback=Rollback.PARTIAL).next


def test_a_bar_is_full_only_when_it_is_done() -> None:
    assert bar(0, 3) == "░" * 20 + " 0 of 3"
    assert bar(2, 5) == "█" * 8 + "░" * 12 + " 2 of 5"
    assert bar(999, 1000).startswith("█" * 19 + "░")
    assert bar(3, 3) == "█" * 20 + " 3 of 3"
    assert bar(0, 0) == ""
