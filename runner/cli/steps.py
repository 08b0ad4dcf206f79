"""The steps of an execution and their log as a sequence of things to show: each once, in the order in which they came.

How they look is decided by whoever shows them: a bar on a terminal, plain lines elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import click

from runner.cli.log_lines import LogLines
from runner.cli.output import harmless
from runner.execution.outcome import CellFate, Fate
from runner.execution.progress import Progress, Said


class What(Enum):
    """What is to be shown of a step."""

    BEGAN = "began"
    WORDS = "words"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing to show. `number` is the step's place on the way, from 1; `line` is a line of its log."""

    what: What
    cell: CellFate
    number: int
    line: str = ""


class Steps:
    """Remembers what was shown of one piece of work."""

    def __init__(self) -> None:
        self._begun: set[tuple[str, str]] = set()
        # With the number of its tries: a cell that is tried again ends more than once.
        self._ended: set[tuple[str, str, int]] = set()
        self._lines: dict[tuple[str, str], LogLines] = {}

    def take(self, progress: Progress) -> Iterator[Moment]:
        """What is new, in the order of the cells: that is the order in which they ran."""
        said: dict[tuple[str, str], list[Said]] = {}
        for one in progress.said:
            said.setdefault((one.phase, one.cell), []).append(one)
        for number, cell in enumerate(progress.forward, start=1):
            if cell.fate is not Fate.NOT_RUN:
                yield from self._of(cell, number, said.get((cell.phase, cell.id), []))

    def _of(self, cell: CellFate, number: int, said: list[Said]) -> Iterator[Moment]:
        key = cell.phase, cell.id
        lines = self._lines.setdefault(key, LogLines())
        words = [line for one in said for line in lines.take(one.text)]
        if key not in self._begun:
            self._begun.add(key)
            yield Moment(what=What.BEGAN, cell=cell, number=number)
        over = cell.fate is not Fate.RUNNING and (*key, cell.tries) not in self._ended
        for line in [*words, *(lines.rest() if over else ())]:
            yield Moment(what=What.WORDS, cell=cell, number=number, line=line)
        if over:
            self._ended.add((*key, cell.tries))
            yield Moment(what=What.ENDED, cell=cell, number=number)

    def begun_line(self, progress: Progress) -> str:
        """The line that the running cell has begun and not ended."""
        at_work = progress.at_work
        lines = self._lines.get((at_work.phase, at_work.id)) if at_work else None
        return lines.begun if lines else ""


def well(moment: Moment) -> bool:
    """Whether a cell that ended is nothing to worry about."""
    return moment.cell.fate in {Fate.OK, Fate.SKIPPED}


def ending(moment: Moment) -> str:
    """How a cell ended, in words."""
    cell = moment.cell
    took = f" after {cell.seconds:.1f} s" if cell.seconds is not None else ""
    error = harmless(click.unstyle(cell.error)).strip().splitlines()
    error = error or ([harmless(cell.why)] if cell.why else [])
    took += f" (try {cell.tries})" if cell.tries > 1 else ""
    return f"{cell.fate.value.replace('_', ' ')}{took}{f': {error[-1]}' if error else ''}"
