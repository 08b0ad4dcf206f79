"""A local table of the events that were already checked, so that nothing is checked twice and a run is found at once.

It holds nothing that Git does not: deleting the file costs time and no truth. It is written only after an event's
signature and place in the chain held.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from runner.digest import Digest
from runner.ledger.bodies import Cancel, Expire, Finish, Plan, Reject, Resolve, Resume, Start
from runner.ledger.event import Event, decode
from runner.ledger.state import State

_VERSION = 4
_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY, digest TEXT NOT NULL, run TEXT, commit_id TEXT NOT NULL, payload BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS event_run ON event(run, seq);
CREATE TABLE IF NOT EXISTS request (key TEXT PRIMARY KEY, run TEXT NOT NULL, plan TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS request_plan ON request(plan);
CREATE TABLE IF NOT EXISTS live (run TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS owing (run TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_TABLES = ("event", "request", "live", "owing", "meta")


class Cache:
    """The table of one ledger. Several processes may share the file."""

    def __init__(self, file: Path) -> None:
        self._db = _opened(file)
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version != _VERSION:
            drop = "".join(f"DROP TABLE IF EXISTS {table};" for table in _TABLES)
            self._db.executescript(f"{drop} {_SCHEMA} PRAGMA user_version={_VERSION};")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction; other processes wait."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def load(self) -> tuple[str | None, State]:
        """The commit that the table stands at, and the state there."""
        row = self._db.execute("SELECT value FROM meta WHERE name = 'state'").fetchone()
        tip = self._db.execute("SELECT value FROM meta WHERE name = 'tip'").fetchone()
        if row is None or tip is None:
            return None, State()
        return tip[0], msgspec.json.decode(row[0], type=State, strict=False)

    def save(self, tip: str, state: State) -> None:
        """Remember where the table stands; inside `writing`."""
        rows = [("tip", tip), ("state", msgspec.json.encode(state).decode())]
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    def clear(self) -> None:
        """Forget everything; inside `writing`."""
        for table in _TABLES:
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are the constants of the line above

    def add(self, event: Event, *, payload: bytes, commit: str, held: Container[int]) -> None:
        """Enter one checked event; inside `writing`. `held` has the starts that are open."""
        row = (event.seq, event.digest, event.run, commit, payload)
        self._db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", row)
        match event.body:
            case Plan() as body:
                if body.owes_by:
                    self._db.execute("INSERT OR REPLACE INTO owing VALUES (?)", (event.run,))
                asked = (body.request_key, event.run, body.plan_digest)
                self._db.execute("INSERT INTO request VALUES (?, ?, ?)", asked)
                self._db.execute("INSERT OR REPLACE INTO live VALUES (?)", (event.run,))
            case Start() | Resume():
                self._db.execute("INSERT OR REPLACE INTO live VALUES (?)", (event.run,))
            case Finish() | Reject() | Expire() | Resolve():
                self._db.execute("DELETE FROM live WHERE run = ?", (event.run,))
            case Cancel() if not any(one in held for one in self._numbers(event.run)):
                self._db.execute("DELETE FROM live WHERE run = ?", (event.run,))
            case _:
                pass

    def __contains__(self, request_key: object) -> bool:
        return self._db.execute("SELECT 1 FROM request WHERE key = ?", (request_key,)).fetchone() is not None

    def run_of(self, request_key: str) -> str | None:
        """The run that a request led to, or None."""
        row = self._db.execute("SELECT run FROM request WHERE key = ?", (request_key,)).fetchone()
        return row[0] if row else None

    def live(self) -> tuple[str, ...]:
        """Runs that are not over, oldest first."""
        return tuple(row[0] for row in self._db.execute("SELECT run FROM live ORDER BY run"))

    def owing(self) -> tuple[str, ...]:
        """Emergencies that were not seen to owe nothing any more, oldest first."""
        return tuple(row[0] for row in self._db.execute("SELECT run FROM owing ORDER BY run"))

    def settle(self, run: str) -> None:
        """Remember that an emergency owes nothing: a memory of what was judged, so that it is not judged for ever."""
        self._db.execute("DELETE FROM owing WHERE run = ?", (run,))

    def events(self, run: str) -> tuple[Event, ...]:
        """A run's events in order."""
        query = "SELECT payload, digest FROM event WHERE run = ? ORDER BY seq"
        return tuple(decode(payload, digest=Digest(digest)) for payload, digest in self._db.execute(query, (run,)))

    def of_no_run(self) -> tuple[Event, ...]:
        """The events that are about no run, in order: genesis, keys, halts and the like. They stay few."""
        query = "SELECT payload, digest FROM event WHERE run IS NULL ORDER BY seq"
        return tuple(decode(payload, digest=Digest(digest)) for payload, digest in self._db.execute(query))

    def runs(self, prefix: str) -> tuple[str, ...]:
        """Run ids that begin with, or end in, a text: for people who type less."""
        query = "SELECT DISTINCT run FROM event WHERE run LIKE ? OR run LIKE ? ORDER BY run"
        safe = "".join(one for one in prefix if one.isalnum() or one == "-")
        return tuple(row[0] for row in self._db.execute(query, (f"{safe}%", f"%{safe}")))

    def planned(self, prefix: str) -> tuple[str, ...]:
        """Run ids whose plan digest begins with some hex digits."""
        safe = "".join(one for one in prefix.lower() if one in "0123456789abcdef")
        query = "SELECT run FROM request WHERE plan LIKE ? ORDER BY run"
        return tuple(row[0] for row in self._db.execute(query, (f"{safe}%",))) if safe else ()

    def since(self, seq: int) -> Iterator[tuple[Event, str]]:
        """Events from a number on, each with its commit."""
        query = "SELECT payload, digest, commit_id FROM event WHERE seq >= ? ORDER BY seq"
        for payload, digest, commit in self._db.execute(query, (seq,)):
            yield decode(payload, digest=Digest(digest)), commit

    def event(self, seq: int) -> Event | None:
        """One event by its number."""
        row = self._db.execute("SELECT payload, digest FROM event WHERE seq = ?", (seq,)).fetchone()
        return decode(row[0], digest=Digest(row[1])) if row else None

    def commit_of(self, seq: int) -> str | None:
        """The commit that added an event."""
        row = self._db.execute("SELECT commit_id FROM event WHERE seq = ?", (seq,)).fetchone()
        return row[0] if row else None

    def _numbers(self, run: str | None) -> tuple[int, ...]:
        return tuple(seq for (seq,) in self._db.execute("SELECT seq FROM event WHERE run = ?", (run,)))


def _opened(file: Path) -> sqlite3.Connection:
    """The file, or where it cannot be written (a read-only clone) a table that lives as long as this process."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        db = sqlite3.connect(file, isolation_level=None, timeout=30)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA user_version").fetchone()
    except (OSError, sqlite3.OperationalError):
        return sqlite3.connect(":memory:", isolation_level=None)
    return db
