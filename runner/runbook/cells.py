"""Cells, their roles and their options, read from a notebook's JSON; nothing is executed and nbformat is not needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Role(Enum):
    """What a code cell is for; in a notebook it is a cell tag."""

    PARAMETERS = "parameters"
    SETUP = "setup"
    READ = "read"
    PLAN = "plan"
    CHANGE = "change"
    VERIFY = "verify"
    ROLLBACK = "rollback"
    ALWAYS = "always"


REHEARSED = frozenset({Role.SETUP, Role.READ, Role.PLAN})
"""Roles that cannot change anything: they make the rehearsal."""

FORWARD = frozenset({Role.SETUP, Role.READ, Role.PLAN, Role.CHANGE, Role.VERIFY})
"""Roles that a run executes from the top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A cell's `#|` lines, checked. `raw` keeps what was written, for lint.

    `timeout` is in seconds. Options that are known but not carried out yet (retries, confirm, ...) are in `raw` only, and
    a runbook that uses one is refused by lint rather than run without it.
    """

    step: str | None = None
    timeout: float | None = None
    irreversible: str | None = None
    normalise: tuple[str, ...] = ()
    raw: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a notebook. `role` is None for text cells; `declared` is False where a code cell's role is the default."""

    index: int
    id: str
    kind: str
    source: str
    role: Role | None
    declared: bool = True
    tags: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)

    @property
    def name(self) -> str:
        """What people call this cell: its step name, or its role and place."""
        role = self.role.value if self.role else self.kind
        return self.options.step or f"{role} (cell {self.index + 1})"
