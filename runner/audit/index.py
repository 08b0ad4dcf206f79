"""The index: a table of runs made from Git alone, so that "what changed?" takes milliseconds at any age of the record.

It is brought up to date from the events that are new, each checked for signature and place in the chain first; a
rewritten branch is refused. It holds nothing that Git does not: without the file it is made again, the same. Whether
every event was legal is verification's question, not this one's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from runner.audit.history import Reader
from runner.audit.index_entries import Entries
from runner.digest import sha256
from runner.errors import IntegrityError, OutsideError
from runner.evidence import layout
from runner.ledger import bodies
from runner.ledger.envelope import STATEMENT, open_envelope, unchecked_payload
from runner.ledger.event import Event, decode, path
from runner.ledger.state import FIRST
from runner.repository import refs
from runner.repository.process import git
from runner.repository.repository import Repository

VERSION = 4
GROUP = 150
"""Events that are read at once."""
_TABLES = ("run", "attempt", "person", "target", "touched", "event", "meta")
_SCHEMA = """
CREATE TABLE run (
    run TEXT PRIMARY KEY, runbook TEXT, title TEXT, risk TEXT, requester TEXT, issue TEXT, state TEXT, outcome TEXT,
    rollback TEXT, message TEXT, planned_at TEXT, started_at TEXT, ended_at TEXT, seconds REAL, attempt INTEGER,
    plan_digest TEXT, emergency TEXT, break_glass TEXT,
    targets TEXT, event INTEGER, last INTEGER, commit_id TEXT) WITHOUT ROWID;
CREATE INDEX run_event ON run(event);
CREATE INDEX run_runbook ON run(runbook, event);
CREATE INDEX run_issue ON run(issue, event);
CREATE INDEX run_outcome ON run(outcome, event);
CREATE INDEX run_planned ON run(planned_at, event);
CREATE TABLE attempt (
    start INTEGER PRIMARY KEY, run TEXT, attempt INTEGER, started_at TEXT, ended_at TEXT, seconds REAL, outcome TEXT,
    rollback TEXT, resolution TEXT, message TEXT, changed TEXT, interrupt INTEGER, approvals TEXT, commit_id TEXT);
CREATE INDEX attempt_run ON attempt(run);
CREATE INDEX attempt_interrupt ON attempt(interrupt);
CREATE TABLE person (
    person TEXT, event INTEGER, run TEXT, role TEXT, approval INTEGER, PRIMARY KEY (person, event, run, role, approval))
    WITHOUT ROWID;
CREATE INDEX person_run ON person(run, role);
CREATE TABLE target (target TEXT, event INTEGER, run TEXT, PRIMARY KEY (target, event, run)) WITHOUT ROWID;
CREATE INDEX attempt_started ON attempt(started_at, start);
CREATE TABLE touched (target TEXT, start INTEGER, run TEXT, PRIMARY KEY (target, start)) WITHOUT ROWID;
CREATE TABLE event (run TEXT, event INTEGER, commit_id TEXT, PRIMARY KEY (run, event)) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""


@contextmanager
def _written(file: Path) -> Iterator[None]:
    """Say in words that the table cannot be written: the disk is full, or it may only be read.

    Raises:
        OutsideError: instead of what SQLite raises.
    """
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        hint = f"make room on the disk, or check that {file.parent} may be written to"
        raise OutsideError("bringing the index of the record up to date", str(error), hint=hint) from error


class Index:
    """The table of one clone's evidence branch. Several processes may share the file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with _written(file):
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.db = sqlite3.connect(file, isolation_level=None, timeout=60)
            self.db.execute("PRAGMA journal_mode=WAL")
            self.db.execute("PRAGMA synchronous=NORMAL")
            (version,) = self.db.execute("PRAGMA user_version").fetchone()
            if version != VERSION:
                self._begin_anew()

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def _begin_anew(self) -> None:
        drop = "".join(f"DROP TABLE IF EXISTS {table};" for table in _TABLES)
        self.db.executescript(f"{drop} {_SCHEMA} PRAGMA user_version={VERSION};")

    @property
    def tip(self) -> str | None:
        """The commit that the table stands at."""
        return self._meta("tip")

    def events(self, run: str) -> tuple[tuple[int, str], ...]:
        """Numbers and commits of a run's events, in order."""
        rows = self.db.execute("SELECT event, commit_id FROM event WHERE run = ? ORDER BY event", (run,))
        return tuple((number, commit) for number, commit in rows)

    def update(self, repository: Repository, *, branch: str) -> int:
        """Read what is new on the branch, as far as it was fetched; return how many events that were.

        Raises:
            IntegrityError: if an event does not hold, or the branch was rewritten.
            OutsideError: if the table cannot be written.
        """
        with _written(self._file):
            return self._update(repository, branch=branch)

    def _update(self, repository: Repository, *, branch: str) -> int:
        tip = refs.tip(repository, branch)
        old = self.tip
        if tip is None or tip == old:
            return 0
        if old is not None and not refs.is_ancestor(repository, old, tip):
            hint = "somebody rewrote the branch; run `runbook verify`"
            raise IntegrityError("reading the ledger", f"{branch} no longer holds {old[:12]}", hint=hint)
        self.db.execute("BEGIN IMMEDIATE")
        try:
            count = self._read(repository, tip, old=self.tip)
        except BaseException:
            # A full disk has SQLite roll back by itself.
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")
        return count

    def _meta(self, name: str) -> str | None:
        row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def _read(self, repository: Repository, tip: str, *, old: str | None) -> int:
        span = f"{old}..{tip}" if old else tip
        listed = git(["rev-list", "--first-parent", "--reverse", span, "--"], cwd=repository.path, timeout=600)
        head, keys = self._meta("head") or FIRST, json.loads(self._meta("keys") or "[]")
        chain = _Chain(number=int(self._meta("number") or -1), head=head, keys=set(keys))
        count = 0
        with Reader(repository.path) as reader:
            commits = iter(listed.decode().split())
            while group := list(islice(commits, GROUP)):
                events = _events(reader, group, chain=chain)
                rows = Entries(self.db)
                for event, commit in _with_files(reader, events, rows=rows):
                    rows.take(event, commit)
                count += len(group)
        values = {"tip": tip, "head": chain.head, "number": str(chain.number), "keys": json.dumps(sorted(chain.keys))}
        self.db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())
        return count


class _Chain:
    """Where the record stands: what the next event has to fit."""

    def __init__(self, *, number: int, head: str, keys: set[str]) -> None:
        self.number, self.head, self.keys = number, head, keys

    def take(self, data: bytes) -> Event:
        """Check an event and go on to it."""
        doing = f"reading ledger event {self.number + 1}"
        keys = self.keys or _first_key(data)
        event = decode(open_envelope(data, keys=keys, payload_type=STATEMENT), digest=sha256(data))
        if (event.seq, event.prev) != (self.number + 1, self.head):
            raise IntegrityError(doing, "it does not follow the event before", hint="run `runbook verify`")
        self.number, self.head = event.seq, event.digest
        match event.body:
            case bodies.Genesis() as body:
                self.keys = {body.key}
            case bodies.Key() as body if body.action == "add":
                self.keys.add(body.key)
            case bodies.Key() as body:
                self.keys.discard(body.key)
            case _:
                pass
        return event


def _first_key(data: bytes) -> set[str]:
    body = decode(unchecked_payload(data), digest=sha256(data)).body
    return {body.key} if isinstance(body, bodies.Genesis) else set()


def _events(reader: Reader, commits: list[str], *, chain: _Chain) -> list[tuple[Event, str]]:
    first = chain.number + 1
    names = [f"{commit}:{path(first + place)}" for place, commit in enumerate(commits)]
    return [(chain.take(data), commit) for data, commit in zip(reader.ask(names), commits, strict=True)]


def _with_files(reader: Reader, events: Iterable[tuple[Event, str]], *, rows: Entries) -> Iterator[tuple[Event, str]]:
    """Hand each event on after the plan or manifest that came with it was read."""
    wanted = [(event, commit, _file(event)) for event, commit in events]
    names = [f"{commit}:{file}" for event, commit, file in wanted if file]
    answers = reader.ask(names)
    for event, commit, file in wanted:
        rows.data = next(answers) if file else b""
        yield event, commit


def _file(event: Event) -> str:
    """The one file beside the event that the index needs."""
    if event.run and isinstance(event.body, bodies.Plan):
        return layout.plan_file(event.run)
    if isinstance(event.body, bodies.Finish | bodies.Late):
        return next((f"outputs/{name}" for name, _ in event.subject if name.endswith("/manifest.json")), "")
    return ""
