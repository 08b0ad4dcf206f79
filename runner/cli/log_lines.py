"""The words of a live log as lines for a terminal: whole, and without anything that would steer it."""

from __future__ import annotations

import click

from runner.cli.output import harmless

LONGEST = 2000
"""Characters of a line that are shown."""
UNENDED = 64 * 1024
"""Characters that are kept of a line that does not end."""


class LogLines:
    """Turns pieces of one cell's words into lines."""

    def __init__(self) -> None:
        self._begun = ""

    def take(self, text: str) -> list[str]:
        """Take in a piece; return the lines that it completes."""
        *lines, self._begun = (self._begun + text).split("\n")
        self._begun = self._begun[-UNENDED:]
        return [_shown(line) for line in lines]

    @property
    def begun(self) -> str:
        """The line that has begun and not ended."""
        return _shown(self._begun)

    def rest(self) -> list[str]:
        """What is left at the end of the cell: one line, or none."""
        line, self._begun = self.begun, ""
        return [line] if line else []


def _shown(line: str) -> str:
    """One line as it stands at last: a progress bar writes over itself with carriage returns."""
    last = line.rstrip("\r").rpartition("\r")[2]
    text = harmless(click.unstyle(last)).replace("\t", "    ")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
