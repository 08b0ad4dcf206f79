"""The inbox: what came is durable before it is answered, and the same delivery is taken once.

One thread writes, and everything that waits at that moment goes into one transaction: each answer still waits for its
own row to be on the disk (`synchronous=FULL`), and a hundred deliveries cost one flush. Only the fact that something
came is kept, never what it says: the loop reads everything again from the forge itself.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from runner.errors import OutsideError
from runner.server.delivery import Delivery

MOST_AT_ONCE = 512
KEPT = 7 * 24 * 3600.0
"""Seconds for which a delivery is remembered: a forge lets people send one again for two days."""

_TABLE = """
CREATE TABLE IF NOT EXISTS delivery (
    id TEXT NOT NULL, body TEXT NOT NULL, event TEXT NOT NULL, at REAL NOT NULL, done INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (id, body)
) WITHOUT ROWID
"""
_Taken: TypeAlias = Sequence[tuple[Delivery, bool]]
"""Deliveries, each with whether it is an echo: it tells of what we did ourselves, so no round has to come after it."""


class Inbox:
    """The deliveries of one machine.

    Args:
        file: the table; made if it is not there, readable by its owner alone.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = file
        self._queue: queue.SimpleQueue[tuple[_Taken, Future[list[bool]]] | None] = queue.SimpleQueue()
        with self._opened() as table:
            table.execute(_TABLE)
        file.chmod(0o600)
        self._thread = threading.Thread(target=self._work, name="inbox", daemon=True)
        self._thread.start()

    def _opened(self) -> sqlite3.Connection:
        table = sqlite3.connect(self._file, isolation_level=None, timeout=30)
        table.execute("PRAGMA journal_mode=WAL")
        table.execute("PRAGMA synchronous=FULL")
        return table

    def put(self, delivery: Delivery) -> Future[list[bool]]:
        """Take one delivery in."""
        return self.put_all([(delivery, False)])

    def put_all(self, taken: _Taken) -> Future[list[bool]]:
        """Take deliveries in; the result is there once they are durable, and says of each whether it is a new one.

        Args:
            taken: authentic ones, each with whether it is an echo.
        """
        result: Future[list[bool]] = Future()
        self._queue.put((taken, result))
        return result

    def waiting(self) -> int:
        """How many deliveries no round has come after yet."""
        with self._opened() as table:
            found: tuple[int] = table.execute("SELECT count(*) FROM delivery WHERE done = 0").fetchone()
        return found[0]

    def mark(self) -> float:
        """The moment before a round: what came until then is dealt with once the round has ended."""
        return time.time()

    def dealt_with(self, mark: float) -> None:
        """A round that began at this mark has ended; what is old is forgotten."""
        with self._opened() as table:
            table.execute("UPDATE delivery SET done = 1 WHERE done = 0 AND at <= ?", (mark,))
            table.execute("DELETE FROM delivery WHERE done = 1 AND at < ?", (mark - KEPT,))

    def close(self) -> None:
        """Write what waits, and stop."""
        self._queue.put(None)
        self._thread.join(timeout=30)

    def _work(self) -> None:
        table = self._opened()
        ended = False
        while not ended:
            items, ended = self._next()
            try:
                fresh = iter(written(table, [one for taken, _ in items for one in taken]))
            except sqlite3.Error as error:
                for _, result in items:
                    result.set_exception(error)
                continue
            for taken, result in items:
                result.set_result(list(islice(fresh, len(taken))))
        table.close()

    def _next(self) -> tuple[list[tuple[_Taken, Future[list[bool]]]], bool]:
        """Everything that waits now, at least one item; and whether the end was asked for."""
        items: list[tuple[_Taken, Future[list[bool]]]] = []
        item = self._queue.get()
        while item is not None:
            items.append(item)
            if self._queue.empty() or len(items) >= MOST_AT_ONCE:
                return items, False
            item = self._queue.get()
        return items, True


def arrived(file: Path, *, since: float) -> int:
    """How many deliveries an inbox has taken since a moment (seconds of the wall clock); for whoever only looks.

    Raises:
        OutsideError: if the table cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as table:
            found: tuple[int] = table.execute("SELECT count(*) FROM delivery WHERE at >= ?", (since,)).fetchone()
    except sqlite3.Error as error:
        raise OutsideError(f"looking into {file}", str(error), hint="see that runbook serve runs here") from error
    return found[0]


def written(table: sqlite3.Connection, deliveries: _Taken) -> list[bool]:
    """Write all in one transaction, echoes as dealt with, and say which of them were not there yet."""
    now = time.time()
    fresh = []
    table.execute("BEGIN IMMEDIATE")
    try:
        for one, echo in deliveries:
            row = (one.id, one.body, one.event, now, int(echo))
            done = table.execute(
                "INSERT OR IGNORE INTO delivery (id, body, event, at, done) VALUES (?, ?, ?, ?, ?)", row
            )
            fresh.append(done.rowcount == 1)
        table.execute("COMMIT")
    except sqlite3.Error:
        table.execute("ROLLBACK")
        raise
    return fresh
