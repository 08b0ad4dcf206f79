"""Following one piece of work: asking its executor for what is new, and for nothing twice."""

from __future__ import annotations

from runner.execution.progress import Fates, Progress, said
from runner.ports.executor import Executor


class Following:
    """Follows the work of one key.

    Args:
        executor: where it happens.
        key: the executor's name for it.
    """

    def __init__(self, executor: Executor, key: str) -> None:
        self._executor, self._key = executor, key
        self._fates = Fates()
        self._heard = 0
        self.told = 0.0
        """How many seconds it had been at work when the status comment was last edited."""

    def look(self, *, seconds: float = 0.0) -> Progress | None:
        """How far it is, with what it said since the last look; None if there is nothing new.

        Args:
            seconds: how long it has been at work.
        """
        # The log first: what a cell said stands before its end, and never after it.
        entries, self._heard = self._executor.live(self._key, since=self._heard)
        moved = self._fates.take(self._executor.progress(self._key, since=self._fates.read))
        new = said(entries)
        return (
            Progress(key=self._key, cells=self._fates.cells, said=new, seconds=seconds, asked=self._fates.asked)
            if moved or new
            else None
        )

    @property
    def progress(self) -> Progress:
        """How far it was at the last look."""
        return Progress(key=self._key, cells=self._fates.cells, asked=self._fates.asked)


class Followed:
    """Every piece of work that is followed here: what was shown of it once is not shown again."""

    def __init__(self) -> None:
        self._all: dict[str, Following] = {}

    def of(self, executor: Executor, key: str) -> Following:
        """Whoever follows that work."""
        return self._all.setdefault(key, Following(executor, key))
