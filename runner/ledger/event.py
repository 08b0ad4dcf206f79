"""One entry of the ledger: an in-toto Statement v1 whose predicate says what happened, and its place in the chain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from runner.digest import Digest, Json, Wire, canonical, parse
from runner.errors import IntegrityError
from runner.ledger.bodies import TYPES, Body

PREDICATE = "https://runbook-runner.dev/event/v1"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
ROOT = "outputs/"
"""The evidence root: names of files in statements are relative to it."""

RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[a-z0-9][a-z0-9-]{0,62}-[0-9a-hjkmnp-tv-z]{8}\Z")


class Subject(Wire):
    """A file (relative to the evidence root) or another thing that an event speaks of, by digest."""

    name: str
    digest: dict[str, str]


class Chain(Wire):
    """The event's number, and the digest of the envelope before it (64 zeros for the first)."""

    seq: int
    prev: str


class Time(Wire):
    """When, by the supervisor's clock, in UTC."""

    local: str


class Actor(Wire):
    """Who wrote the event: always a supervisor; the person behind it is in the body."""

    kind: str
    id: str


class Predicate(Wire):
    """What happened."""

    chain: Chain
    type: str
    run: str | None
    time: Time
    actor: Actor
    body: dict[str, Json]


class Statement(Wire):
    """As in the in-toto attestation specification, v1."""

    type_: str = msgspec.field(name="_type")
    subject: tuple[Subject, ...]
    predicate_type: str
    predicate: Predicate


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A checked event. `digest` is the sha256 of its envelope's bytes, which the next event names."""

    seq: int
    digest: Digest
    prev: str
    run: str | None
    time: str
    actor: str
    subject: tuple[tuple[str, str], ...]
    body: Body

    @property
    def type(self) -> str:
        """The event's type name."""
        return type(self.body).__name__.lower()

    @property
    def when(self) -> datetime:
        """The supervisor's time as a value."""
        return from_iso(self.time)


def iso(when: datetime) -> str:
    """A time as it is written everywhere: UTC, milliseconds, `Z`."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """Read such a time; `ValueError` if it is none."""
    return datetime.fromisoformat(text)


def path(seq: int) -> str:
    """Where an event lies: a thousand to a folder."""
    return f"outputs/ledger/{seq // 1000:05d}/{seq:08d}.dsse.json"


def encode(event: Event) -> bytes:
    """The statement's bytes: what the envelope signs."""
    body: dict[str, Json] = msgspec.to_builtins(event.body)
    statement = Statement(
        type_=STATEMENT_TYPE,
        subject=tuple(Subject(name=name, digest={"sha256": digest}) for name, digest in event.subject),
        predicate_type=PREDICATE,
        predicate=Predicate(
            chain=Chain(seq=event.seq, prev=event.prev),
            type=event.type,
            run=event.run,
            time=Time(local=event.time),
            actor=Actor(kind="supervisor", id=event.actor),
            body=body,
        ),
    )
    return canonical(statement)


def decode(payload: bytes, *, digest: Digest) -> Event:
    """Read a statement strictly: unknown fields, types and malformed ids are refused.

    Raises:
        IntegrityError: naming what does not fit.
    """
    doing = "reading a ledger event"
    try:
        statement = parse(Statement, payload)
        predicate = statement.predicate
        if (statement.type_, statement.predicate_type) != (STATEMENT_TYPE, PREDICATE):
            raise IntegrityError(doing, "it is not a runbook event statement")
        if predicate.type not in TYPES or predicate.actor.kind != "supervisor":
            raise IntegrityError(doing, f"unknown type {predicate.type!r} or actor {predicate.actor.kind!r}")
        body: Body = msgspec.convert(predicate.body, TYPES[predicate.type])
        from_iso(predicate.time.local)
        subject = tuple((one.name, one.digest["sha256"]) for one in statement.subject)
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        raise IntegrityError(doing, str(error)) from error
    if predicate.run is not None and not RUN_ID.match(predicate.run):
        raise IntegrityError(doing, f"malformed run id {predicate.run!r}")
    return Event(
        seq=predicate.chain.seq,
        digest=digest,
        prev=predicate.chain.prev,
        run=predicate.run,
        time=predicate.time.local,
        actor=predicate.actor.id,
        subject=subject,
        body=body,
    )
