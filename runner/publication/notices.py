"""What the templates of short comments see: a question, and ends of a run that are not the end of an execution."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from runner.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The ledger's head when a comment was written: the number and digest of its last event."""

    number: int
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionView:
    """What a run asks. `parameter` is empty where it asks for a yes or no; `ordinal` counts in the attempt."""

    run: str
    runbook: str
    targets: tuple[str, ...]
    text: str
    step: str
    parameter: str
    accepted: str
    until: str
    who: str
    ordinal: int
    head: Head


class Ended(Enum):
    """Ends of a run that are not the end of an execution."""

    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedView:
    """A run that was rejected, expired, cancelled, lost or resolved."""

    run: str
    state: str
    by: str
    reason: str
    targets: tuple[str, ...]
    head: Head
    broke: bool = False
    """It ran by break-glass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedView:
    """What an emergency still owes. `why` are its requester's words, `debt` is what is missing and since when."""

    run: str
    targets: tuple[str, ...]
    why: str
    debt: str
    short: str
    head: Head
