"""What a check is shown: one page of the record, and the run that it speaks of before and after it.

Read from the page's own bytes when a check asks for it, and once. What it means for later pages, the book keeps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from runner.audit.page import File, Page
from runner.digest import Digest, parse
from runner.evidence import layout
from runner.evidence.attempts import Attempted, Standing, standing
from runner.evidence.manifest import Manifest
from runner.ledger.bodies import Finish, Late
from runner.ledger.envelope import Envelope
from runner.ledger.event import Event
from runner.plan.plan import Plan
from runner.plan.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A run as it stood: its fold, its plan as stored (None if unreadable), every approval, and its attempts.

    `given` has the revoked approvals too.
    """

    run: Run
    plan: Plan | None
    plan_sha256: Digest | None
    given: tuple[Event, ...] = ()
    attempts: tuple[Attempted, ...] = ()

    @property
    def earlier(self) -> Standing:
        """Where the attempts before the current one left the run."""
        return standing(one for one in self.attempts if one.number < self.run.attempt)

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
    halted: int | None = None
    """The halt in force, before this event."""
    ruling: object = None
    """What policy says of a start, kept by the two checks that ask."""

    @property
    def path(self) -> str:
        """The event's file, for messages."""
        return self.file.path if self.file else "outputs/ledger"

    def stored(self, path: str) -> File | None:
        """One of the page's files."""
        return next((one for one in self.page.files if one.path == path), None)

    def bytes_of(self, path: str) -> bytes | None:
        """The bytes of one of the page's files."""
        file = self.stored(path)
        return file.data if file else None

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
