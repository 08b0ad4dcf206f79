"""The states of a run and which event may come in which: the only home of both."""

from __future__ import annotations

from enum import Enum

from runner.ledger.bodies import (
    Answer,
    Approve,
    Body,
    Cancel,
    Expire,
    Finish,
    Interrupt,
    Late,
    Note,
    Plan,
    Question,
    Reject,
    Resolve,
    Resume,
    Revoke,
    Start,
)


class RunState(Enum):
    """Where a run stands. `approved` is not a state of the record: whether approvals suffice is judged, not stored."""

    PLANNED = "planned"
    STARTED = "started"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    RESOLVED = "resolved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


OVER = frozenset(
    {RunState.FINISHED, RunState.RESOLVED, RunState.REJECTED, RunState.EXPIRED, RunState.CANCELLED},
)
"""States in which nothing more happens by itself."""

LEGAL: dict[type[Body], frozenset[RunState | None]] = {
    Plan: frozenset({None}),
    Approve: frozenset({RunState.PLANNED}),
    Revoke: frozenset({RunState.PLANNED}),
    Reject: frozenset({RunState.PLANNED}),
    Expire: frozenset({RunState.PLANNED}),
    Start: frozenset({RunState.PLANNED}),
    Cancel: frozenset({RunState.PLANNED, RunState.STARTED}),
    Question: frozenset({RunState.STARTED}),
    Answer: frozenset({RunState.STARTED}),
    Finish: frozenset({RunState.STARTED}),
    Interrupt: frozenset({RunState.STARTED}),
    Resolve: frozenset({RunState.INTERRUPTED}),
    Late: frozenset({RunState.INTERRUPTED, RunState.RESOLVED}),
    Resume: frozenset({RunState.FINISHED, RunState.RESOLVED}),
    Note: frozenset(RunState),
}
"""Event to the states in which it may come; None is a run that does not exist yet."""


def legal(state: RunState | None, body: Body) -> bool:
    """Whether an event may come in a state."""
    return state in LEGAL.get(type(body), frozenset())
