"""The watcher: whoever is told what happens while it happens. A noun of its own so that everybody can be one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runner.execution.progress import Progress
from runner.ledger.bodies import Question


def nobody(_run: str, _question: Question) -> str:
    """Nobody is at a keyboard."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Words for people, and how far each run is (its id comes first) whenever that is new.

    `typed` is asked again and again while a run asks something that the person at the keyboard may answer: it gives
    what was typed, once, and never waits for it.
    """

    say: Callable[[str], None]
    progress: Callable[[str, Progress], None]
    typed: Callable[[str, Question], str] = nobody
