"""Showing what happens while it happens: a progress bar on a terminal, plain lines elsewhere, nothing for scripts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runner.cli.steps import Moment, Steps
    from runner.execution.progress import Progress
    from runner.supervisor.watcher import Watcher


@contextmanager
def watching(*, quiet: bool = False, log: bool = True) -> Iterator[Watcher]:
    """A watcher for the length of one command.

    Args:
        quiet: show nothing (for `--json`).
        log: show what the cells say, too.
    """
    from runner.supervisor.watcher import Watcher

    if quiet:
        yield Watcher(say=lambda _text: None, progress=lambda _run, _progress: None)
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from runner.cli.screen import screen

        with screen(log=log) as watcher:
            yield watcher
    else:
        yield Watcher(say=lambda text: click.echo(f"  {text}", err=True), progress=_Lines(log=log).show)


class _Lines:
    """Where nobody watches a bar: one line for each cell that begins, its words, and a line for what went wrong."""

    def __init__(self, *, log: bool) -> None:
        self._log = log
        self._steps: dict[str, Steps] = {}

    def show(self, _run: str, progress: Progress) -> None:
        """Say what is new of one run."""
        from runner.cli.steps import Steps

        steps = self._steps.setdefault(progress.key, Steps())
        for moment in steps.take(progress):
            line = self._line(moment, of=len(progress.forward))
            if line:
                click.echo(f"  {line}", err=True)

    def _line(self, moment: Moment, *, of: int) -> str:
        from runner.cli.steps import What, ending, well

        match moment.what:
            case What.BEGAN:
                return f"[{moment.number}/{of}] {moment.cell.name}"
            case What.WORDS:
                return f"  | {moment.line}" if self._log else ""
            case What.ENDED:
                return "" if well(moment) else f"{moment.cell.name}: {ending(moment)}"
