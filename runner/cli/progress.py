"""Showing what happens while it happens: a progress bar on a terminal, plain lines elsewhere, nothing for scripts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runner.execution.outcome import CellFate
    from runner.supervisor.watcher import Watcher


@contextmanager
def watching(*, quiet: bool = False) -> Iterator[Watcher]:
    """A watcher for the length of one command.

    Args:
        quiet: show nothing (for `--json`).
    """
    from runner.supervisor.watcher import Watcher

    if quiet:
        yield Watcher(say=lambda _text: None, progress=lambda _run, _said: None)
    elif sys.stderr.isatty():
        with _bar() as watcher:
            yield watcher
    else:
        yield Watcher(say=lambda text: click.echo(f"  {text}", err=True), progress=_Lines().show)


@contextmanager
def _bar() -> Iterator[Watcher]:
    """A bar under the words: they go through the same console, or each would write over the other."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from runner.cli.output import console
    from runner.supervisor.watcher import Watcher

    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        tasks: dict[str, object] = {}

        def show(run: str, said: bytes) -> None:
            cells, done, name = _count(said)
            if run not in tasks:
                tasks[run] = progress.add_task(run, total=len(cells) or None)
            task = tasks[run]
            progress.update(task, completed=done, total=len(cells) or None, description=name or run)  # type: ignore[arg-type] # rich keeps its ids as a NewType of int

        def say(text: str) -> None:
            progress.console.print(f"  {text}", markup=False, soft_wrap=True)

        yield Watcher(say=say, progress=show)


class _Lines:
    """One line for each cell that begins, where nobody watches a bar."""

    def __init__(self) -> None:
        self._said: set[tuple[str, str]] = set()

    def show(self, run: str, said: bytes) -> None:
        """Say which cell a run has come to."""
        cells, done, name = _count(said)
        if name and (run, name) not in self._said:
            self._said.add((run, name))
            click.echo(f"  [{done + 1}/{len(cells)}] {name}", err=True)


def _count(said: bytes) -> tuple[tuple[CellFate, ...], int, str]:
    """The cells, how many have ended, and the name of the one that runs."""
    from runner.execution import transcript
    from runner.execution.outcome import Fate

    # What undoes is no part of the way forward: a run that succeeds leaves it alone.
    cells = tuple(one for one in transcript.fates(said) if one.phase != "rollback" or one.fate is not Fate.NOT_RUN)
    running = next((one.name for one in cells if one.fate is Fate.RUNNING), "")
    done = sum(one.fate not in {Fate.NOT_RUN, Fate.RUNNING} for one in cells)
    return cells, done, running
