"""Being asked to end: SIGTERM or Ctrl-C.

While nothing of this machine is running, the first one ends the process: every effect is safe to be killed at. While a
run is, the first one asks its worker to end, and the process stays to record that; the second one ends it at once, and
the next reconcile records what the worker left.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Ending:
    """Whether this process was asked to end. `busy` says that a run of this machine is open."""

    def __init__(self) -> None:
        self.asked = False
        self.busy = False

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if self.asked or not self.busy:
            raise KeyboardInterrupt(signal.Signals(number).name)
        self.asked = True

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear SIGTERM and Ctrl-C until the end of the block; outside the main thread nobody can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._hear) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
