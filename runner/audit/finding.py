"""What verification says: invariants, how each stands, and every violation with its file, cell and broken link.

Nouns only. They are what `--json` prints, so they are plain enough to be read by other tools.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from runner.digest import Wire


class Standing(Enum):
    """How one invariant stands."""

    CLEAN = "clean"
    VIOLATED = "violated"
    NOT_CHECKED = "not checked"


class Level(Enum):
    """How much the record is worth, from least to most (DESIGN section 6; each level includes those before it)."""

    L0 = "L0"
    """Numbered and linked, but pinned to nothing outside: self-asserted."""
    L1 = "L1"
    """Signed by keys that a pin from outside vouches for."""
    L2 = "L2"
    """Approved by another person, for exactly this plan."""
    L3 = "L3"
    """The head was seen outside."""
    L4 = "L4"
    """Approvers signed with their own keys, and the cells ran in isolation."""

    @property
    def strength(self) -> int:
        """0 to 4."""
        return int(self.value[1])

    @property
    def meaning(self) -> str:
        """The level in words."""
        return _MEANING[self]


_MEANING = {
    Level.L0: "self-asserted: nothing outside the record vouches for it",
    Level.L1: "signed by keys that descend from a pin held outside",
    Level.L2: "L1, and another person approved exactly what ran",
    Level.L3: "L2, and the head was seen outside",
    Level.L4: "L3, approvers signed with their own keys, and the cells ran isolated",
}


class Violation(Wire):
    """One broken link. `file` is a path in the evidence; `cell`, `run`, `event` and `commit` are given where known."""

    invariant: str
    file: str
    wrong: str
    cell: str | None = None
    run: str | None = None
    event: int | None = None
    commit: str | None = None


class Line(Wire):
    """One invariant's result. `count` is of all violations; the list holds the first of them."""

    invariant: str
    title: str
    standing: Standing
    reason: str = ""
    count: int = 0
    violations: tuple[Violation, ...] = ()


class Open(Wire):
    """A start that nothing has closed, or an interrupt that nobody resolved. `age` in seconds."""

    run: str
    event: int
    state: str
    holder: str
    locks: tuple[str, ...]
    age: float


class Debt(Wire):
    """What an emergency that has started still owes. Listed, and no violation: the start was allowed."""

    run: str
    missing: tuple[str, ...]
    due: str
    overdue: bool


class Words(Wire):
    """Whose word the record rests on, in numbers of events."""

    approvals_signed: int = 0
    """Approvals whose comment carries the approver's own signature."""
    approvals_told: int = 0
    """Approvals that the supervisor says it saw."""
    requests_signed: int = 0
    requests_told: int = 0
    attempts: int = 0
    """Attempts whose outputs, times and cell fates are the supervisor's word."""


class Report(Wire):
    """What verification found. `levels` counts attempts by level; `level` is the lowest of them."""

    source: str
    kind: str
    head: str
    """`<number> <digest>` of the last event: what a witness writes down."""
    genesis: str
    project: str
    events: int
    runs: int
    seconds: float
    standing: Standing
    level: Level
    level_reason: str
    levels: dict[str, int]
    lines: tuple[Line, ...]
    open: tuple[Open, ...]
    owed: tuple[Debt, ...]
    break_glass: tuple[str, ...]
    """Runs that were executed while the remote was away, and recorded afterwards."""
    rests_on: Words

    @property
    def exit_code(self) -> int:
        """0 clean, 1 violated."""
        return int(self.standing is Standing.VIOLATED)

    def violated(self) -> tuple[str, ...]:
        """The numbers of the violated invariants."""
        return tuple(line.invariant for line in self.lines if line.standing is Standing.VIOLATED)


KEPT = 50
"""How many violations of one invariant are kept in words; the rest are counted."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """The violations of one invariant while they come in."""

    count: int = 0
    first: list[Violation] = field(default_factory=list)

    def add(self, violation: Violation) -> None:
        """Count it, and keep it if it is among the first."""
        self.count += 1
        if len(self.first) < KEPT:
            self.first.append(violation)
