"""Why a cell has to stop that would not stop by itself: its own time, the run's time, or a person's word.

Signals and the spool's `cancel` file come together here; the engine asks `cause` ten times a second. It stops nothing.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from types import FrameType

CANCEL = "cancel"
"""The file in a spool that asks for the end; it holds `leave` or `rollback`."""


class Cause(Enum):
    """Why the engine stops a cell."""

    CELL_TIMEOUT = "cell_timeout"
    RUN_TIMEOUT = "run_timeout"
    CANCELLED = "cancelled"
    HURRY = "hurry"
    NO_ROOM = "no_room"


class Stopping:
    """Collects reasons to stop.

    Args:
        spool: where the `cancel` file may appear.
        clock: monotonic seconds.
    """

    def __init__(self, spool: Path, *, clock: Callable[[], float]) -> None:
        self._file = spool / CANCEL
        self._clock = clock
        self._deadline: float | None = None
        self._signals = 0
        self.rollback = False
        """The person who cancelled wants the begun changes undone."""

    def limit(self, timeout: float) -> None:
        """From now on the forward cells may take this many seconds together; 0 for no limit."""
        self._deadline = self._clock() + timeout if timeout > 0 else None

    def forgive(self, seconds: float) -> None:
        """Give the forward cells this much more time: so long nothing of theirs ran."""
        if self._deadline is not None:
            self._deadline += seconds

    def listen(self) -> None:
        """Take SIGTERM and SIGINT as the wish to end: once in order, twice at once."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    @property
    def cancelled(self) -> bool:
        """Somebody asked for the end."""
        return self._signals > 0 or self._asked_by_file()

    @property
    def hurry(self) -> bool:
        """Somebody asked twice: nothing more is executed, not even what always comes last."""
        return self._signals > 1

    def _asked_by_file(self) -> bool:
        try:
            self.rollback = self._file.read_text(encoding="utf-8").strip() == "rollback"
        except (OSError, UnicodeDecodeError):
            return self._file.exists()
        return True

    def cause(self, *, since: float, timeout: float | None, forward: bool) -> Cause | None:
        """Say why the running cell has to stop, or None.

        Args:
            since: when it began, by the clock.
            timeout: its own limit in seconds.
            forward: it is a forward cell; what undoes and cleans up is not cut short by the first wish to end.
        """
        if self.hurry:
            return Cause.HURRY
        if forward and self.cancelled:
            return Cause.CANCELLED
        now = self._clock()
        if timeout and now - since >= timeout:
            return Cause.CELL_TIMEOUT
        if forward and self._deadline is not None and now >= self._deadline:
            return Cause.RUN_TIMEOUT
        return None

    def between(self, *, forward: bool) -> Cause | None:
        """Say why the next cell may not begin, or None."""
        return self.cause(since=self._clock(), timeout=None, forward=forward)
