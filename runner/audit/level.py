"""How much the record is worth, attempt by attempt, and whose word it rests on.

A level is a claim about what an outsider can check without trusting the supervisor, so it never exceeds what was really
checked: without a pin from outside it is L0, whatever else holds; with a violation it is L0 too.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from runner.approval.rules import Identity
from runner.audit.book import Book, Seen
from runner.audit.code import Code
from runner.audit.finding import Level, Words
from runner.ledger.bodies import Approve, Finish, Late, Plan, Start

ISOLATED = frozenset({"bwrap", "container"})
"""Isolations that keep the cells from the key."""


class Levels:
    """Collects what each attempt rests on. `witnessed` is the highest number that was seen outside (-1 for none)."""

    def __init__(self, *, code: Code | None, pinned: bool, witnessed: int) -> None:
        self._code = code
        self._pinned = pinned
        self._witnessed = witnessed
        self._counts: Counter[Level] = Counter()
        self._open: dict[tuple[str | None, int], Level] = {}
        self.glass: list[str] = []
        """Runs that were executed while the remote was away."""
        self.words = Words()

    def see(self, seen: Seen) -> None:
        """Count one event."""
        body = seen.event.body if seen.event else None
        match body:
            case Plan():
                self._said("requests", signed=body.said.signature is not None)
            case Approve():
                self._said("approvals", signed=body.said.signature is not None)
            case Start():
                self._attempt(seen, body)
            case Finish() | Late():
                self._ended(seen)
            case _:
                pass

    def _said(self, what: str, *, signed: bool) -> None:
        field = f"{what}_{'signed' if signed else 'told'}"
        self.words = msgspec.structs.replace(self.words, **{field: getattr(self.words, field) + 1})

    def _attempt(self, seen: Seen, start: Start) -> None:
        self.words = msgspec.structs.replace(self.words, attempts=self.words.attempts + 1)
        if start.after and seen.event and seen.event.run:
            self.glass.append(seen.event.run)
        level = Level.L0 if start.after else self._of(seen, start)
        self._counts[level] += 1
        if level in {Level.L3, Level.L4} and seen.event and self._signed(seen, start):
            self._open[seen.event.run, start.attempt] = level

    def _ended(self, seen: Seen) -> None:
        """A start says what was demanded at least; what was reached is in the manifest, if there is one."""
        level = self._open.pop((seen.event.run, seen.attempt), None) if seen.event else None
        if level is not None and seen.manifest is not None:
            self._counts[level] -= 1
            self._counts[Level.L4 if seen.manifest.execution.isolation in ISOLATED else Level.L3] += 1

    def _signed(self, seen: Seen, start: Start) -> bool:
        told = seen.before
        bodies = [event.body for event in told.approvals(start.approvals)] if told else []
        return all(body.said.signature for body in bodies if isinstance(body, Approve))

    def _of(self, seen: Seen, start: Start) -> Level:
        if not self._pinned:
            return Level.L0
        told = seen.before
        bodies = [event.body for event in told.approvals(start.approvals)] if told else []
        given = [body for body in bodies if isinstance(body, Approve)]
        requester = told.run.plan.said.by.casefold() if told else ""
        others = [body for body in given if body.said.verified and body.said.by.casefold() != requester]
        policy = self._code.policy(start.policy_commit) if self._code else None
        if not others or policy is None or policy.identity is not Identity.SIGNED:
            return Level.L1
        if seen.number > self._witnessed:
            return Level.L2
        return Level.L4 if self._signed(seen, start) and start.isolation in ISOLATED else Level.L3

    def lowest(self, book: Book, *, clean: bool) -> tuple[Level, str]:
        """The lowest level of any attempt, and why it is not higher."""
        if not clean:
            return Level.L0, "the record does not hold"
        if not self._pinned:
            return Level.L0, "nothing from outside pins it: give --genesis DIGEST or --witness FILE"
        if not self._counts:
            return Level.L1, "nothing has run yet" if book.count else "the ledger is empty"
        level = min((one for one in Level if self._counts[one]), key=lambda one: one.strength)
        return level, _WHY[level]

    def counts(self) -> dict[str, int]:
        """Attempts by level."""
        return {level.value: self._counts[level] for level in Level if self._counts[level]}


_WHY = {
    Level.L0: "an attempt ran by break-glass: only the supervisor knows what was so when it ran",
    Level.L1: "an attempt had no approval by another, verified person, or its policy could not be read",
    Level.L2: "an attempt is newer than the last head that was seen outside",
    Level.L3: "an attempt ran without isolation, or an approver did not sign",
    Level.L4: "",
}
