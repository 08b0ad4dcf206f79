"""How far an execution is, for people who watch: its cells, what it says, and how long it has been at work.

Read from what the worker leaves while it works. It proves nothing; the outcome does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from runner.digest import Wire
from runner.execution.outcome import CellFate, Fate
from runner.execution.transcript import Asked, lines, waiting


class Said(Wire):
    """A piece of what a cell showed, masked. `at` is seconds since the attempt began."""

    at: float
    phase: str
    cell: str
    """The cell's id."""
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one execution is.

    `key` is the executor's name for the work (`<run id>/<attempt>` or `<run id>/rehearsal`); `said` is what was said
    since the last look, and only that.
    """

    key: str
    cells: tuple[CellFate, ...] = ()
    said: tuple[Said, ...] = ()
    seconds: float = 0.0
    asked: Asked | None = None
    """What it waits to know from a person."""

    @property
    def forward(self) -> tuple[CellFate, ...]:
        """The cells of the way: what undoes is no part of it, unless it came to that."""
        return tuple(one for one in self.cells if one.phase != "rollback" or one.fate is not Fate.NOT_RUN)

    @property
    def done(self) -> int:
        """How many of those have ended."""
        return sum(one.fate not in {Fate.NOT_RUN, Fate.RUNNING} for one in self.forward)

    @property
    def at_work(self) -> CellFate | None:
        """The cell that runs."""
        return next((one for one in self.cells if one.fate is Fate.RUNNING), None)


@dataclass(slots=True)
class Fates:
    """Each cell's newest fate, from a transcript that grows: a line is read once, however long the run is."""

    read: int = 0
    """Bytes that were taken in."""
    asked: Asked | None = None
    """The question that waits for its answer."""
    _newest: dict[tuple[str, str], CellFate] = field(default_factory=dict)

    def take(self, more: bytes) -> bool:
        """Take in what was added; False if that says nothing of any cell. A torn line is left for the next time."""
        whole = more[: more.rfind(b"\n") + 1]
        self.read += len(whole)
        new = lines(whole)
        fates = [line.cell for line in new if line.cell is not None]
        self._newest.update({(fate.phase, fate.id): fate for fate in fates})
        before, self.asked = self.asked, waiting(new, self.asked)
        return bool(fates) or self.asked != before

    @property
    def cells(self) -> tuple[CellFate, ...]:
        """All of them, in the order of their beginnings."""
        return tuple(self._newest.values())


def said(entries: bytes) -> tuple[Said, ...]:
    """Read entries of a live log; one that is torn or damaged is passed over."""
    return tuple(_said(entries.splitlines()))


def _said(rows: Iterable[bytes]) -> Iterable[Said]:
    for row in rows:
        try:
            yield msgspec.json.decode(row, type=Said)
        except msgspec.MsgspecError:
            continue
