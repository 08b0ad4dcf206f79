"""The watcher: whoever is told what happens while it happens. A noun of its own so that everybody can be one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.execution.progress import Progress
    from runner.ledger.bodies import Question
    from runner.snapshot import Snapshot


def nobody(_run: str, _question: Question) -> str:
    """Nobody is at a keyboard."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Words for people, and how far each run is (its id comes first) whenever that is new.

    `typed` is asked again and again while a run asks something that the person at the keyboard may answer: it gives
    what was typed, once, and never waits for it. `seen` is told what every look found. Setting `wake` asks for a look
    at once. `listen` is how many seconds may pass, at first, between two looks at the issues while work is running:
    where a forge's deliveries wake us, the issues need not be asked often.
    """

    say: Callable[[str], None]
    progress: Callable[[str, Progress], None]
    typed: Callable[[str, Question], str] = nobody
    seen: Callable[[Snapshot], None] = lambda _snapshot: None
    wake: threading.Event = field(default_factory=threading.Event)
    listen: float = 2.0
