"""What the index answers with: one typed row for a run, and one for each attempt that changed something."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from runner.digest import Wire


class Changed(Enum):
    """Whether an attempt changed its targets."""

    YES = "yes"
    """A change cell began."""
    NO = "no"
    UNKNOWN = "unknown"
    """Its owner was lost, or it still runs."""


class RunRow(Wire):
    """One run, as far as the ledger knows it. Times are ISO 8601 in UTC; `seconds` is the last attempt's."""

    run: str
    runbook: str
    title: str
    risk: str
    targets: tuple[str, ...]
    requester: str
    approvers: tuple[str, ...]
    issue: str
    state: str
    outcome: str | None
    rollback: str | None
    message: str
    planned_at: str
    started_at: str | None
    ended_at: str | None
    seconds: float | None
    attempt: int
    plan_digest: str
    emergency: str
    """Why it could not wait for the usual approvals; empty for all others."""
    break_glass: str
    """Why it ran while the remote was away; empty for all others."""
    event: int
    commit: str
    """The commit of the event that was the last to say something about the run."""
    owes: str = ""
    """What an emergency that has started still owes, and by when; the policy of its start was asked."""


class ChangeRow(Wire):
    """One attempt that began to change its targets, or may have."""

    run: str
    attempt: int
    runbook: str
    title: str
    targets: tuple[str, ...]
    requester: str
    approvers: tuple[str, ...]
    issue: str
    changed: Changed
    outcome: str | None
    rollback: str | None
    resolution: str | None
    message: str
    started_at: str
    ended_at: str | None
    seconds: float | None
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What `log` is asked for; None and empty mean everything. `person` is the requester or an approver."""

    target: str | None = None
    runbook: str | None = None
    person: str | None = None
    issue: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = 50
