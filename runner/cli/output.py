"""Printing: tables that fit the terminal, colour only on a terminal, the same facts as JSON when asked."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

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
    """A table that wraps to the terminal's width; with no rows it says so instead."""
    if not rows:
        return f"{title}: nothing" if title else "nothing"
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(*columns, title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for row in rows:
        # What comes from outside is text, never markup.
        made.add_row(*(Text(harmless(cell)) for cell in row))
    return made
