"""How fresh a look has to be: remote and forge are asked once for a round, and again whenever it matters.

It matters when somebody woke us, and before anything starts. What we wrote in between is known without asking.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from threading import Event

from runner.wiring import FRESH

LATELY = 30.0
"""Seconds for which a forge's server is not asked again within a round that nobody woke."""


@dataclass(slots=True)
class Freshness:
    """Of the looks of one round. The clone may have been fetched just before it; the forge is asked by its first look.

    Attributes:
        remote: how many seconds old the remote's last answer may be for this look.
        forge: since when what was read from the forge will do for this look, in monotonic seconds.
    """

    remote: float = FRESH
    forge: float = -math.inf
    _anew: bool = False
    _whole: bool = False

    def begin(self, wake: Event) -> None:
        """Begin a look, at whatever is new if somebody woke us."""
        if wake.is_set():
            wake.clear()
            self._anew = True
        at = time.monotonic()
        self._whole = self._anew or self.forge == -math.inf
        self.remote = 0.0 if self._anew else FRESH
        self.forge = at if self._whole else max(self.forge, at - LATELY)
        self._anew = False

    def enough_to_start(self, *, asked: bool) -> bool:
        """Whether a run may start on this look; if not, the next one asks for everything.

        Args:
            asked: whether the remote was asked for this look.
        """
        self._anew = not (asked and self._whole)
        return not self._anew
