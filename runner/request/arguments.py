"""What each verb of the command grammar says, read: one strict type per verb. `command.py` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from runner.ledger.bodies import Resolution


class Leave(Enum):
    """What a cancelled run does with what it has changed: leave it, or roll it back."""

    LEAVE = "leave"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`run NAME key=value ... [--emergency "why"]`; the values are text until the runbook's schema has read them."""

    runbook: str
    parameters: tuple[tuple[str, str], ...] = ()
    emergency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """`approve DIGEST [reason]`; the digest may be cut to 12 digits."""

    digest: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """`revoke DIGEST [reason]`: takes one's own approval back."""

    digest: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """`reject DIGEST reason`."""

    digest: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """`cancel [RUN or DIGEST] --leave|--rollback [reason]`; `which` is empty for the issue's only run."""

    which: str
    mode: Leave
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve:
    """`resolve RUN OUTCOME reason`."""

    run: str
    decision: Resolution
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """`resume RUN [reason]`: the next attempt of a run that did not succeed."""

    run: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revert:
    """`revert RUN [reason]`: asks for a new run that undoes that one."""

    run: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`answer [RUN] [qN] TEXT`; `which` is empty for the issue's only run that asks, `question` 0 for its first.

    `text` is `yes` or `no` and a reason, or a value: that is read by the question that it answers.
    """

    which: str
    question: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """`halt reason`: nothing starts any more."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unhalt:
    """`unhalt [reason]`: starting is possible again."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """`status`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """`help`."""


Arguments: TypeAlias = (
    Run | Approve | Revoke | Reject | Cancel | Resolve | Resume | Revert | Answer | Halt | Unhalt | Status | Help
)
