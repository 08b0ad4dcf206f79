"""The book: the record replayed page by page, trusting nothing, so that every check sees each event in its place.

It never stops: what does not hold is kept as a fact (`fault`, `illegal`) for a check to speak of, and the replay goes
on as well as it can. Runs that are over are forgotten but for their id and state: memory grows by a line for each run.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field, replace
from functools import cached_property

import msgspec

from runner.audit.page import File, Page, number_of
from runner.digest import Digest, parse, sha256
from runner.errors import IntegrityError
from runner.evidence import layout
from runner.evidence.manifest import Manifest
from runner.ledger.bodies import Approve, Finish, Genesis, Interrupt, Key, Late, Resolve, Start
from runner.ledger.bodies import Plan as PlanBody
from runner.ledger.envelope import STATEMENT, Envelope
from runner.ledger.event import Event, decode, from_iso, iso
from runner.ledger.state import FIRST
from runner.plan.plan import Plan
from runner.plan.plan import read as read_plan
from runner.plan.run import OVER, Run, RunState, fold, legal, step


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A run as it stood: its fold, its plan as stored (None if unreadable) and every approval, the revoked ones too."""

    run: Run
    plan: Plan | None
    plan_sha256: Digest | None
    given: tuple[Event, ...] = ()

    def approvals(self, numbers: tuple[int, ...]) -> tuple[Event, ...]:
        """Those approve events that a start names."""
        return tuple(event for event in self.given if event.seq in numbers)


@dataclass(kw_only=True)
class Seen:
    """One page of the book with everything that checks ask about it. `fault` says why there is no event."""

    page: Page
    file: File | None
    number: int
    expected: int
    prev: str
    last_time: str
    keys: frozenset[str]
    envelope: Envelope | None = None
    payload: bytes = b""
    event: Event | None = None
    fault: str = ""
    before: Told | None = None
    after: Told | None = None
    illegal: str = ""
    holders: dict[str, int] = field(default_factory=dict)
    """Lock to the start that holds it, before this event."""
    ruling: object = None
    """What policy says of a start, kept by the two checks that ask."""

    @property
    def path(self) -> str:
        """The event's file, for messages."""
        return self.file.path if self.file else "outputs/ledger"

    def stored(self, path: str) -> File | None:
        """One of the page's files."""
        return next((one for one in self.page.files if one.path == path), None)

    @cached_property
    def told(self) -> Told | None:
        """The run that the event speaks of, as it is with it where that is legal, else as it was."""
        return self.after or self.before

    @cached_property
    def end(self) -> Finish | Late | None:
        """The body, if this event closes an attempt with files."""
        return self.event.body if self.event and isinstance(self.event.body, Finish | Late) else None

    @cached_property
    def attempt(self) -> int:
        """The attempt that the event closes; 0 if it closes none."""
        return self.told.run.attempt if self.end and self.told else 0

    @cached_property
    def manifest_file(self) -> File | None:
        """The manifest that comes with the event."""
        if not self.event or not self.event.run or not self.end:
            return None
        return self.stored(layout.manifest_file(self.event.run, self.attempt))

    @cached_property
    def manifest(self) -> Manifest | None:
        """The manifest, or None where there is none that can be read (`manifest_fault` says why)."""
        file = self.manifest_file
        if file is None or file.data is None:
            return None
        try:
            return parse(Manifest, file.data)
        except (msgspec.MsgspecError, RecursionError) as error:
            self.manifest_fault = str(error)
            return None

    manifest_fault: str = ""

    @cached_property
    def executed(self) -> File | None:
        """The executed notebook that comes with the event."""
        if not self.event or not self.event.run or not self.end:
            return None
        return self.stored(layout.executed_file(self.event.run, self.attempt))


class Book:
    """Everything that was read so far, as far as later pages need it."""

    def __init__(self) -> None:
        self.count = 0
        self.head: str = FIRST
        self.number = -1
        self.time = ""
        self.genesis: Genesis | None = None
        self.genesis_digest = ""
        self.keys: frozenset[str] = frozenset()
        self.open: dict[str, Told] = {}
        self.closed: dict[str, RunState] = {}
        self.requests: set[bytes] = set()
        self.locks: dict[str, int] = {}
        self.interrupts: dict[int, int] = {}

    def read(self, page: Page) -> Seen:
        """Open a page: what it says, and where it stands. The book itself is not changed."""
        envelopes = page.envelopes
        file = envelopes[0] if envelopes else None
        number = number_of(file.path) if file else None
        seen = Seen(
            page=page,
            file=file,
            number=self.number + 1 if number is None else number,
            expected=self.number + 1,
            prev=self.head,
            last_time=self.time,
            keys=self.keys,
            holders=self.locks,
        )
        if file is None or file.data is None:
            seen.fault = "it adds no ledger event"
            return seen
        _open(seen, file.data, file.sha256)
        if seen.event and isinstance(seen.event.body, Genesis) and not self.keys:
            seen.keys = frozenset({seen.event.body.key})
        self._place(seen)
        return seen

    def turn(self, seen: Seen) -> None:
        """Take the page into the book and go on to the next."""
        if seen.file is None:
            return
        self.count += 1
        self.number, self.head = seen.number, seen.file.sha256
        event = seen.event
        if event is None:
            return
        self.time = max(self.time, event.time)
        if event.run and seen.after:
            self._keep(event.run, seen.after)
        self._fold(event)

    def _keep(self, run: str, told: Told) -> None:
        # A resolved run may still hear of its lost owner, and an emergency of what it owes; every other end is the end.
        owes = bool(told.run.plan.owes_by) and told.run.start is not None
        if told.run.state in OVER and told.run.state is not RunState.RESOLVED and not owes:
            self.open.pop(run, None)
            self.closed[run] = told.run.state
        else:
            self.open[run] = told

    def _place(self, seen: Seen) -> None:
        event = seen.event
        if event is None or event.run is None:
            return
        seen.before = self.open.get(event.run)
        closed = self.closed.get(event.run)
        if closed is not None:
            if not legal(closed, event.body):
                seen.illegal = f"it may not follow {closed.value}"
            return
        try:
            seen.after = _next(seen, event)
        except IntegrityError as error:
            seen.illegal = error.wrong

    def _fold(self, event: Event) -> None:
        match event.body:
            case Genesis() as body if self.genesis is None:
                self.genesis, self.genesis_digest, self.keys = body, event.digest, frozenset({body.key})
            case Key() as body:
                self.keys = self.keys | {body.key} if body.action == "add" else self.keys - {body.key}
            case PlanBody() as body:
                self.requests.add(_short(body.request_key))
            case Start() as body:
                self.locks = {**self.locks, **dict.fromkeys(body.locks, event.seq)}
            case Finish() as body:
                self._free(body.start)
            case Interrupt() as body:
                self.interrupts[event.seq] = body.start
            case Resolve() as body:
                self._free(self.interrupts.pop(body.interrupt, -1))
            case _:
                pass

    def _free(self, start: int) -> None:
        self.locks = {name: holder for name, holder in self.locks.items() if holder != start}

    def planned_before(self, request_key: str) -> bool:
        """Whether a request led to a plan on an earlier page."""
        return _short(request_key) in self.requests


def _short(text: str) -> bytes:
    return bytes.fromhex(sha256(text.encode()))[:16]


def _open(seen: Seen, data: bytes, digest: Digest) -> None:
    try:
        seen.envelope = envelope = parse(Envelope, data)
        seen.payload = base64.b64decode(envelope.payload, validate=True)
        if envelope.payload_type != STATEMENT:
            seen.fault = f"the envelope holds {envelope.payload_type}, not {STATEMENT}"
            return
        event = decode(seen.payload, digest=digest)
        if event.when.tzinfo is None or iso(event.when) != event.time:
            seen.fault = f"its time {event.time!a} is not UTC with milliseconds"
            return
        seen.event = event
    except (msgspec.MsgspecError, binascii.Error, ValueError, RecursionError) as error:
        seen.fault = f"not a DSSE envelope ({error})"
    except IntegrityError as error:
        seen.fault = error.wrong


def _next(seen: Seen, event: Event) -> Told:
    if seen.before is None:
        return _begin(seen, event)
    run = step(seen.before.run, event)
    given = (*seen.before.given, event) if isinstance(event.body, Approve) else seen.before.given
    return replace(seen.before, run=run, given=given)


def _begin(seen: Seen, event: Event) -> Told:
    run = fold([event])
    file = seen.stored(layout.plan_file(run.id))
    return Told(run=run, plan=_plan(file), plan_sha256=file.sha256 if file else None)


def _plan(file: File | None) -> Plan | None:
    if file is None or file.data is None:
        return None
    try:
        plan = read_plan(file.data)
        zoned = all(from_iso(time).tzinfo for time in (plan.made_at, plan.expires_at))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return plan if zoned else None
