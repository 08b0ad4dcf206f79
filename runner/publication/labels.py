"""Labels: where a run stands, on the issue's list. They mirror the record; nothing is ever decided by a label.

What each is called is a setting (`label_names.py`). On GitLab two labels of one scope exclude each other only where
that was paid for, so whatever else of ours an issue carries is taken off by name.
"""

from __future__ import annotations

from enum import Enum

from runner.label_names import SCOPE, LabelNames
from runner.ledger.bodies import Status
from runner.plan.run import Run, RunState

__all__ = ["SCOPE", "Label", "change", "label_of"]


class Label(Enum):
    """Every label that says where a run stands, by the name that it has unless the settings say otherwise."""

    REQUESTED = "runbook::requested"
    """Asked for from an issue template, and not planned yet: that template's own quick action sets it."""
    PLANNED = "runbook::planned"
    APPROVED = "runbook::approved"
    """Allowed, and waiting for a lock, a window or the end of a freeze."""
    STARTED = "runbook::started"
    WAITING = "runbook::waiting"
    """It has started, and waits at a question for somebody's answer."""
    SUCCEEDED = "runbook::succeeded"
    FAILED = "runbook::failed"
    TIMED_OUT = "runbook::timed_out"
    CANCELLED = "runbook::cancelled"
    INTERRUPTED = "runbook::interrupted"
    """Its outcome is unknown and its locks are held until somebody resolves it."""
    RESOLVED = "runbook::resolved"
    REJECTED = "runbook::rejected"
    EXPIRED = "runbook::expired"


_STATES = {
    RunState.PLANNED: Label.PLANNED,
    RunState.STARTED: Label.STARTED,
    RunState.INTERRUPTED: Label.INTERRUPTED,
    RunState.RESOLVED: Label.RESOLVED,
    RunState.REJECTED: Label.REJECTED,
    RunState.EXPIRED: Label.EXPIRED,
    RunState.CANCELLED: Label.CANCELLED,
}
_OUTCOMES = {
    Status.SUCCEEDED: Label.SUCCEEDED,
    Status.FAILED: Label.FAILED,
    Status.TIMED_OUT: Label.TIMED_OUT,
    Status.CANCELLED: Label.CANCELLED,
}


def label_of(run: Run, *, allowed: bool = False) -> Label:
    """Say which label a run's issue has; `allowed` is whether its approvals are enough."""
    if run.state is RunState.FINISHED:
        return _OUTCOMES[run.outcome] if run.outcome else Label.FAILED
    if run.state is RunState.PLANNED and allowed:
        return Label.APPROVED
    return Label.WAITING if run.question else _STATES[run.state]


def change(
    current: frozenset[str], wanted: Label, *, risk: str = "", names: LabelNames
) -> tuple[frozenset[str], frozenset[str]]:
    """Say what to add and what to remove so that of our labels an issue has those for this state and risk alone.

    Args:
        current: every label that it has.
        wanted: where its newest run stands.
        risk: of that run; it has a label where the settings name one.
        names: what labels are called.
    """
    ours = frozenset(label for label in current if names.ours(label))
    critical = names.risks.get(risk)
    kept = frozenset({names.states[wanted.value.removeprefix(SCOPE)], *((critical,) if critical else ())})
    return kept - ours, ours - kept
