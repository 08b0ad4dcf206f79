"""Printing: tables that fit the terminal, colour only on a terminal, the same facts as JSON when asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


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

        click.echo(json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False))
        return
    shown = text()
    if isinstance(shown, str):
        click.echo(shown)
    elif shown is not None:
        console().print(shown)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> RenderableType:
    """A table that wraps to the terminal's width; with no rows it says so instead."""
    if not rows:
        return f"{title}: nothing" if title else "nothing"
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(*columns, title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for row in rows:
        # What comes from outside is text, never markup.
        made.add_row(*(Text(cell) for cell in row))
    return made
