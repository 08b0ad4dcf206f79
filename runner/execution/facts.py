"""What a cell's condition is decided by: the run's values, how the steps so far ended, what was recorded.

Pure. The worker asks it before a cell, and verification asks it again years later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.digest import Json
from runner.execution.outcome import CellFate, Fate, done_before
from runner.runbook.condition import Facts

_ENDED = {
    Fate.OK: "ok",
    Fate.SKIPPED: "skipped",
    # It began and was not answered ok, and that is what who cleans up after it has to know.
    Fate.FAILED: "failed",
    Fate.TIMED_OUT: "failed",
    Fate.INTERRUPTED: "failed",
    Fate.UNKNOWN: "failed",
}
_ASKED_ABOUT = frozenset({"forward", "always"})


def facts(
    cells: Iterable[CellFate],
    *,
    values: Mapping[str, Json],
    records: Mapping[str, Json] | None,
    unknown: frozenset[str] = frozenset(),
) -> Facts:
    """Collect the facts.

    Args:
        cells: every cell's fate now.
        values: the run's parameters.
        records: the results recorded so far; None if they are not known.
        unknown: parameters whose value is not known.
    """
    ended = {cell.name: _ended(cell) for cell in cells if cell.phase in _ASKED_ABOUT}
    return Facts(values=values, open=unknown, ended=ended, records=records)


def _ended(cell: CellFate) -> str:
    # What an earlier attempt was answered ok for is ok, and not a step that was left out.
    return _ENDED[Fate.OK] if done_before(cell) else _ENDED.get(cell.fate, "")
