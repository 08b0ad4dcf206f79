"""The ledger on its branch: read and checked event by event, and appended to as a transaction.

An append is: fetch the tip, fold the state, let the caller judge its preconditions on exactly that state, commit on
that tip, push without force. Somebody was first: start again. That compare-and-swap is the only lock and the only queue
there is.
"""

from __future__ import annotations

import random
import time as clock
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from runner.digest import Digest, sha256
from runner.errors import IntegrityError, OperatorError, OutsideError
from runner.ledger.bodies import Body, Genesis
from runner.ledger.cache import Cache
from runner.ledger.envelope import STATEMENT, make_envelope, open_envelope, unchecked_payload
from runner.ledger.event import ROOT, Event, decode, encode, from_iso, iso, path
from runner.ledger.state import State, fold
from runner.ports.signer import Signer
from runner.repository import refs
from runner.repository.commits import Author, Pack
from runner.repository.objects import Objects
from runner.repository.process import git

SKEW = timedelta(seconds=120)
"""How far two supervisors' clocks may differ before the slower one is refused."""
TRIES = 60
"""How often an append starts again because somebody was first, before it gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An event to be: what to say, the files that come with it, and the words of its commit.

    `files` maps full paths to bytes; `about` is the subject of an event that adds no file; `trailers` answer `git log`.
    """

    body: Body
    run: str | None
    title: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    about: tuple[tuple[str, str], ...] = ()
    trailers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who appends: the key, the name in commits, and how the writer is called in events."""

    signer: Signer
    name: str
    email: str
    actor: str


Build = Callable[[State], Sequence[Draft]]
"""Judges the preconditions on the newest state and says what to append; called again whenever somebody was first."""


class Ledger:
    """The ledger of one repository, as far as it was fetched."""

    def __init__(self, objects: Objects, *, branch: str, cache: Path) -> None:
        self.objects = objects
        self.branch = branch
        self.cache = Cache(cache)
        self.tip, self.state = self.cache.load()

    def close(self) -> None:
        """Release the table."""
        self.cache.close()

    def refresh(self, *, fetch: bool = True) -> State:
        """Bring the ledger up to date and check every event that is new.

        Raises:
            OutsideError: if the remote does not answer.
            IntegrityError: if an event does not hold, or the branch was rewritten.
        """
        repository = self.objects.repository
        if fetch:
            refs.fetch(repository, self.branch)
        tip = self.objects.tip(self.branch)
        if tip is None or tip == self.cache.load()[0]:
            self.tip, self.state = self.cache.load()
            return self.state
        with self.cache.writing():
            old, state = self.cache.load()
            for commit in self._new_commits(old, tip):
                state = self._enter(state, commit)
            self.cache.save(tip, state)
        self.tip, self.state = tip, state
        return state

    def append(self, build: Build, *, writer: Writer, now: Callable[[], datetime]) -> tuple[Event, ...]:
        """Append what `build` says on top of the newest state, in one push; nothing if it says nothing.

        Args:
            build: judges the state and drafts events; raises what its caller wants to see.
            writer: signs and names.
            now: the clock.

        Raises:
            OutsideError: if the remote does not answer. The append may have arrived; the next refresh tells.
            OperatorError: if this machine's clock is behind the ledger's.
        """
        for attempt in range(TRIES):
            self.refresh(fetch=attempt > 0 or self.tip is None)
            drafts = build(self.state)
            if not drafts:
                return ()
            events, commit = self._commit(drafts, writer=writer, now=now())
            if self._publish(commit):
                self.refresh(fetch=False)
                return events
            # Full jitter: a crowd of writers spreads out instead of colliding again.
            clock.sleep(random.uniform(0, min(0.05 * 2**attempt, 1.0)))  # noqa: S311 - spreading load, not a secret
        hint = "many supervisors are writing; run one for each repository"
        raise OutsideError("appending to the ledger", f"somebody else was first {TRIES} times", hint=hint)

    def _publish(self, commit: str) -> bool:
        repository = self.objects.repository
        try:
            return refs.publish(repository, commit, self.branch, expected=self.tip)
        except OutsideError:
            # The answer was lost, perhaps not the push: only the branch itself can tell. Every commit holds a nonce
            # (its signature over a time and number of its own), so finding it there means that it is ours.
            refs.fetch(repository, self.branch)
            there = self.objects.tip(self.branch)
            if there and refs.is_ancestor(repository, commit, there):
                return True
            raise

    def _new_commits(self, old: str | None, tip: str) -> list[str]:
        near = self.objects.since(old, tip)
        if near is not None:
            return near
        if old is not None and not refs.is_ancestor(self.objects.repository, old, tip):
            hint = "somebody rewrote the branch; run `runbook verify`, nothing is appended until then"
            raise IntegrityError("reading the ledger", f"{self.branch} no longer holds {old[:12]}", hint=hint)
        span = f"{old}..{tip}" if old else tip
        out = git(["rev-list", "--first-parent", "--reverse", span], cwd=self.objects.repository.path)
        return out.decode().split()

    def _enter(self, state: State, commit: str) -> State:
        number = state.seq + 1
        data = self.objects.read(commit, path(number))
        if data is None:
            raise IntegrityError(f"reading ledger event {number}", f"commit {commit[:12]} does not add {path(number)}")
        payload = open_envelope(data, keys=state.keys or _first_key(data), payload_type=STATEMENT)
        event = decode(payload, digest=sha256(data))
        after = fold(state, event, requests=self.cache)
        self.cache.add(event, payload=payload, commit=commit, held=set(state.locks.values()))
        return after

    def _commit(self, drafts: Sequence[Draft], *, writer: Writer, now: datetime) -> tuple[tuple[Event, ...], str]:
        state, parent, events = self.state, self.tip, []
        if state.time and now < from_iso(state.time) - SKEW:
            wrong = f"this machine's clock ({iso(now)}) is behind the ledger's last event ({state.time})"
            raise OperatorError("appending to the ledger", wrong, hint="set the clock (NTP) and try again")
        planned: set[str] = set()
        pack = Pack(self.objects)
        for draft in drafts:
            event, data = _seal(draft, state=state, writer=writer, now=now)
            state = fold(state, event, requests=planned)
            files = {**draft.files, path(event.seq): data}
            author = Author(name=writer.name, email=writer.email, when=now)
            text, sign = _message(draft, event), _git(writer.signer)
            parent = pack.commit(files, parent=parent, message=text, author=author, sign=sign)
            events.append(event)
        if parent is None:
            raise OutsideError("appending to the ledger", "there was nothing to append")
        pack.write()
        return tuple(events), parent


def _seal(draft: Draft, *, state: State, writer: Writer, now: datetime) -> tuple[Event, bytes]:
    files = tuple((name.removeprefix(ROOT), sha256(data)) for name, data in sorted(draft.files.items()))
    event = Event(
        seq=state.seq + 1,
        digest=Digest(""),
        prev=state.head,
        run=draft.run,
        time=max(iso(now), state.time),
        actor=writer.actor,
        subject=files or draft.about,
        body=draft.body,
    )
    data = make_envelope(encode(event), payload_type=STATEMENT, signer=writer.signer)
    return decode(encode(event), digest=sha256(data)), data


def _message(draft: Draft, event: Event) -> str:
    trailers = [("Runbook-Event", str(event.seq)), ("Runbook-Type", event.type)]
    trailers += [("Runbook-Run", event.run)] if event.run else []
    lines = [f"{key}: {' '.join(value.split())}" for key, value in (*trailers, *draft.trailers)]
    return f"{' '.join(draft.title.split())}\n\n" + "\n".join(lines) + "\n"


def _git(signer: Signer) -> Callable[[bytes], str]:
    return lambda payload: signer.sign_ssh(payload, namespace="git")


def _first_key(data: bytes) -> frozenset[str]:
    """Genesis vouches for itself; whoever holds its digest from outside can check that it is the right one."""
    body = decode(unchecked_payload(data), digest=sha256(data)).body
    return frozenset({body.key}) if isinstance(body, Genesis) else frozenset()
