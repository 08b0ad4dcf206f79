"""A small text table: what a `plan` cell shows reads the same in Jupyter, in a comment and on a phone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

_WIDEST = 60


class Table(str):
    """Text that shows itself without quotes when it is the last line of a cell."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def table(rows: Iterable[Mapping[str, object] | Sequence[object]], *, columns: Sequence[str] = ()) -> Table:
    """Lay rows out in columns.

    Args:
        rows: mappings (their keys are the columns), or sequences in the order of `columns`.
        columns: which columns, in which order; those of the first mapping if left out.

    Returns:
        The table as text; long values are cut at 60 characters.
    """
    found = list(rows)
    names = list(columns)
    if not names and found and isinstance(found[0], Mapping):
        names = [str(name) for name in found[0]]
    lines = [names] if names else []
    for row in found:
        values = [row.get(name, "") for name in names] if isinstance(row, Mapping) else list(row)
        lines.append([_cell(value) for value in values])
    if not found:
        lines.append(["(none)"])
    count = max(len(line) for line in lines)
    widths = [max(len(line[place]) for line in lines if place < len(line)) for place in range(count)]
    if names:
        lines.insert(1, ["-" * width for width in widths])
    return Table("\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines))


def _cell(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."
