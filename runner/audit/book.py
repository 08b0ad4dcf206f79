"""The book: the record replayed page by page, trusting nothing, so that every check sees each event in its place.

It never stops: what does not hold is kept as a fact (`fault`, `illegal`) for a check to speak of, and the replay goes
on as well as it can. Runs that are over are forgotten but for their id and state: memory grows by a line for each run.
"""

from __future__ import annotations

import base64
import binascii
import heapq
from dataclasses import replace

import msgspec

from runner.audit.page import File, Page, number_of
from runner.audit.seen import Seen, Told
from runner.digest import Digest, canonical, parse, sha256
from runner.errors import IntegrityError
from runner.evidence import attempts, layout
from runner.evidence.attempts import standing
from runner.ledger.bodies import (
    Approve,
    Finish,
    Genesis,
    Halt,
    Interrupt,
    Key,
    Resolve,
    Resume,
    Start,
    Status,
    Unhalt,
)
from runner.ledger.bodies import Plan as PlanBody
from runner.ledger.chain import SKEW
from runner.ledger.envelope import STATEMENT, Envelope
from runner.ledger.event import Event, decode, from_iso, iso
from runner.ledger.state import FIRST
from runner.plan.plan import Plan, Undoing
from runner.plan.plan import read as read_plan
from runner.plan.run import OVER, RunState, fold, legal, not_resumable, step

__all__ = ["Book", "Seen", "Told", "likeness"]


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
        self.undoable: dict[str, bytes] = {}
        """Run to a digest of all that its revert has to agree with, while its changes are in place."""
        self._waiting: list[tuple[str, str]] = []
        """A heap of runs that could still be resumed, by when that is over."""
        self.halted: int | None = None

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
            halted=self.halted,
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
        self._forget()
        self._fold(event)

    def _keep(self, run: str, told: Told) -> None:
        # A resolved run may still hear of its lost owner, an emergency of what it owes, and a run that failed may be
        # resumed while its plan lives; every other end is the end.
        owes = bool(told.run.plan.owes_by) and told.run.start is not None
        resumable = told.run.state is RunState.FINISHED and not not_resumable(told.run)
        if told.run.state in OVER and told.run.state is not RunState.RESOLVED and not (owes or resumable):
            self._close(run, told.run.state)
        else:
            self.open[run] = told
        if resumable:
            heapq.heappush(self._waiting, (_after(told.run.plan.expires), run))
        if told.run.state is RunState.FINISHED and told.plan:
            self._undoable(run, told, told.plan)

    def _close(self, run: str, state: RunState) -> None:
        self.open.pop(run, None)
        self.closed[run] = state

    def _forget(self) -> None:
        """Let go of runs that failed and whose plan is over: nobody resumes them any more."""
        while self._waiting and self._waiting[0][0] < self.time:
            _, run = heapq.heappop(self._waiting)
            told = self.open.get(run)
            if told and told.run.state is RunState.FINISHED and not told.run.plan.owes_by:
                self._close(run, told.run.state)

    def _undoable(self, run: str, told: Told, plan: Plan) -> None:
        if plan.revert_of and told.run.outcome is Status.SUCCEEDED:
            self.undoable.pop(plan.revert_of, None)
        left = standing(told.attempts)
        last = told.attempts[-1] if told.attempts else None
        changed = left.begun or plan.proposal
        if changed and not left.doubts and not plan.revert_of and last and last.manifest:
            fingerprint = plan.rehearsal.fingerprint
            what = Undoing(
                attempt=last.number, manifest=last.manifest, changes=tuple(left.begun), fingerprint=fingerprint
            )
            self.undoable[run] = likeness(plan, what)

    def _place(self, seen: Seen) -> None:
        event = seen.event
        if event is None or event.run is None:
            return
        seen.before = self.open.get(event.run)
        closed = self.closed.get(event.run)
        if closed is not None:
            # What is closed cannot be resumed: it succeeded, nobody knows what it left, or its plan is over.
            if isinstance(event.body, Resume) or not legal(closed, event.body):
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
            case Halt():
                self.halted = event.seq
            case Unhalt():
                self.halted = None
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


def likeness(plan: Plan, undoes: Undoing) -> bytes:
    """A digest of what a run and its revert have in common: runbook, values, targets, and what there is to undo."""
    common = [plan.runbook, plan.parameters, plan.injected, plan.targets, plan.read_secrets, plan.change_secrets]
    files = plan.proposal.files if plan.proposal else ()
    # A revert proposes the same files the other way round.
    merged = [[one.path, *((one.after, one.before) if plan.revert_of else (one.before, one.after))] for one in files]
    undone = [merged, undoes.attempt, undoes.manifest, sorted(undoes.changes), undoes.fingerprint]
    return bytes.fromhex(sha256(canonical([*map(msgspec.to_builtins, common), *undone])))[:16]


def _after(expires: str) -> str:
    """When nobody can have resumed a plan any more: supervisors' clocks may differ."""
    return iso(from_iso(expires) + SKEW)


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
    return replace(
        seen.before, run=run, given=given, attempts=attempts.step(seen.before.attempts, event, seen.bytes_of)
    )


def _begin(seen: Seen, event: Event) -> Told:
    run = fold([event])
    file = seen.stored(layout.plan_file(run.id))
    return Told(run=run, plan=_plan(file), plan_sha256=file.sha256 if file else None)


def _plan(file: File | None) -> Plan | None:
    if file is None or file.data is None:
        return None
    try:
        plan = read_plan(file.data)
        times = (plan.made_at, plan.expires_at, plan.owes_by or plan.made_at)
        zoned = all(from_iso(time).tzinfo for time in times)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return plan if zoned else None
