"""Printing: tables that fit the terminal, colour only on a terminal, the same facts as JSON when asked."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BESIDE = 3
"""How many characters a column takes beside its words."""

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType


def console(*, stderr: bool = False) -> Console:
    """A console that is plain wherever nobody looks."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 160
    return Console(file=stream, highlight=False, soft_wrap=False, width=width)


def emit(value: object, *, as_json: bool, text: Callable[[], object]) -> None:
    """Print a result.

    Args:
        value: what a script gets: anything that JSON holds, or msgspec can turn into it.
        as_json: whether to print that, as one JSON document.
        text: makes what a person gets: a string, or something that rich can draw.
    """
    if as_json:
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(value, enc_hook=_plain), indent=2, ensure_ascii=False))
        return
    shown = text()
    if isinstance(shown, str):
        click.echo(harmless(shown))
    elif shown is not None:
        console().print(shown)


def harmless(text: str) -> str:
    """The same text without what would steer a terminal: an issue's words must not rewrite what stands above them."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def _plain(value: object) -> str:
    """What msgspec has no JSON for; anything but a path is a mistake of ours."""
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be printed as JSON")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> RenderableType:
    """A table that wraps to the terminal's width; with no rows it says so instead.

    Words are never cut: where the longest ones do not fit beside each other, each row becomes a few lines of its own.
    """
    if not rows:
        return f"{title}: nothing" if title else "nothing"
    return _Table(columns, [[harmless(cell) for cell in row] for row in rows], title=title)


class _Table:
    """Rows that are laid out when the width is known."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str) -> None:
        self._columns, self._rows, self._title = columns, rows, title

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Draw it side by side, or row by row where that is too wide."""
        del console
        widths = self._widths(options.max_width)
        if widths:
            yield self._beside(widths)
        else:
            yield from self._below()

    def _widths(self, room: int) -> list[int]:
        """How wide each column is; nothing if not even their longest words have room."""
        from rich.cells import cell_len

        least, most = [], []
        for cells in zip(self._columns, *self._rows, strict=True):
            least.append(max(cell_len(word) for cell in cells for word in (cell.split() or [""])))
            most.append(max(cell_len(line) for cell in cells for line in (cell.splitlines() or [""])))
        spare = room - sum(least) - _BESIDE * len(least)
        if spare < 0:
            return []
        for column in sorted(range(len(least)), key=lambda one: most[one] - least[one]):
            more = min(spare, most[column] - least[column])
            least[column] += more
            spare -= more
        return least

    def _beside(self, widths: Sequence[int]) -> RenderableType:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        made = Table(title=self._title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
        for name, width in zip(self._columns, widths, strict=True):
            made.add_column(name, width=width, overflow="fold")
        for row in self._rows:
            # What comes from outside is text, never markup.
            made.add_row(*(Text(cell) for cell in row))
        return made

    def _below(self) -> Iterator[RenderableType]:
        from rich.table import Table
        from rich.text import Text

        if self._title:
            yield Text(self._title, style="italic")
        longest = max(len(name) for name in self._columns)
        for row in self._rows:
            block = Table.grid(padding=(0, 2, 0, 0))
            block.add_column(width=longest)
            block.add_column(overflow="fold")
            for name, cell in zip(self._columns, row, strict=True):
                if cell:
                    block.add_row(Text(name, style="dim"), Text(cell))
            yield Text()
            yield block
        yield Text()
