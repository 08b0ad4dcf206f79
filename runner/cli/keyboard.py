"""The keyboard of whoever watches a run: what is typed in answer to a question, without ever waiting for it."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable
from typing import TextIO

from runner.ledger.bodies import Question


class Keyboard:
    """Shows a question once and listens until a line was typed, or the question is gone.

    Args:
        show: shows a question and makes room to type.
        hide: takes that room away again.
        source: where lines are typed.
    """

    def __init__(
        self, *, show: Callable[[str, Question], None], hide: Callable[[], None], source: TextIO | None = None
    ) -> None:
        self._show, self._hide = show, hide
        self._source = source or sys.stdin
        self._asked: tuple[str, int] | None = None
        self._closed = False

    def typed(self, run: str, question: Question) -> str:
        """What was typed in answer, once; empty while nothing was."""
        if self._closed:
            return ""
        if self._asked != (run, question.ordinal):
            self._asked = run, question.ordinal
            self._show(run, question)
        if not select.select([self._source], [], [], 0)[0]:
            return ""
        line = self._source.readline()
        self._closed = not line
        self.gone(run)
        return line.strip()

    def gone(self, run: str) -> None:
        """What the run asked needs no answer from here any more."""
        if self._asked is not None and self._asked[0] == run:
            self._asked = None
            self._hide()
