"""Labels: where a run stands, on the issue's list. They mirror the record; nothing is ever decided by a label."""

from __future__ import annotations

from enum import Enum

from runner.ledger.bodies import Status
from runner.plan.run import Run, RunState

SCOPE = "runbook::"
"""Labels of this scope are ours; on GitLab two of one scope exclude each other."""


class Label(Enum):
    """Every label that the runner sets."""

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


def change(current: frozenset[str], wanted: Label) -> tuple[frozenset[str], frozenset[str]]:
    """Say what to add and what to remove so that `wanted` is the only label of our scope."""
    ours = frozenset(label for label in current if label.startswith(SCOPE))
    return frozenset({wanted.value}) - ours, ours - {wanted.value}
