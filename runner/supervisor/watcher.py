"""The watcher: whoever is told what happens while it happens. A noun of its own so that everybody can be one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Words for people, and a run's transcript so far for progress bars."""

    say: Callable[[str], None]
    progress: Callable[[str, bytes], None]
