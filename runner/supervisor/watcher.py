"""The watcher: whoever is told what happens while it happens. A noun of its own so that everybody can be one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runner.execution.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Words for people, and how far each run is (its id comes first) whenever that is new."""

    say: Callable[[str], None]
    progress: Callable[[str, Progress], None]
