"""What lint says: a finding, and the rule that makes findings. The rules themselves are in the `rules_*` modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from runner.runbook.runbook import Runbook


class Severity(Enum):
    """An error keeps a runbook from being planned; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to correct. `cell` is the index from 0, None for the notebook as a whole; people count from 1."""

    rule: str
    severity: Severity
    cell: int | None
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """What a rule's check yields: the finding without the rule. `cell` as in `Finding`."""

    cell: int | None = None
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. Its id never changes meaning; `safety` rules stay errors in a notebook without a header."""

    id: str
    title: str
    severity: Severity
    check: Callable[[Runbook], Iterator[Hit]]
    safety: bool = False
