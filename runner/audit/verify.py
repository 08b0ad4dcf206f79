"""Verification: every page past every check, once, in a stream. What comes out is a report, never a yes or no alone.

Steps, as numbered below: (0) open the source, (1) replay each page, (2) show it to every check, (3) look back after the
last, (4) wait for the signatures, (5) say how each invariant stands, (6) what is open, (7) what level that is worth.
Left to the caller: getting a pin (`genesis`, `witness`) from somewhere that the evidence's owner does not control.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from runner.audit.book import Book
from runner.audit.checks.check import Check, Context
from runner.audit.checks.registry import CHECKS
from runner.audit.code import Code
from runner.audit.debts import debt
from runner.audit.finding import Debt, Line, Open, Report, Standing, Tally, Violation
from runner.audit.level import Levels
from runner.audit.signatures import Signatures
from runner.audit.source import Source
from runner.errors import OperatorError
from runner.ledger.bodies import Start
from runner.plan.run import RunState

_WITNESS = re.compile(r"(?:[-*]\s+)?`?(?:head:\s+)?`?([0-9]{1,9})\s+(?:sha256:)?([0-9a-f]{12,64})`?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """What somebody outside holds: the first event's digest, and heads by number. Digests may be cut to 12 digits."""

    genesis: str | None = None
    witness: Mapping[int, str] = field(default_factory=dict)


def verify(
    source: Source,
    *,
    now: datetime,
    pins: Pins | None = None,
    deep: bool = False,
    checks: Sequence[type[Check]] = CHECKS,
    processes: int | None = None,
) -> Report:
    """Verify a record.

    Args:
        source: opened evidence (0).
        now: the time, for how long starts have been open.
        pins: what is known from outside; without it the level is at most L0.
        deep: whether to search all of history for secrets too.
        checks: which checks; leaving some out is for tests.
        processes: how many processes may check signatures; by default one for each core.

    Raises:
        OutsideError: if the source cannot be read.
    """
    began, given, book = time.monotonic(), pins or Pins(), Book()
    with Signatures(processes=processes) as signatures:
        context = _context(source, book, signatures, given=given, deep=deep, now=now)
        made = [check(context) for check in checks]
        tallies = {check.number: Tally() for check in made}
        pinned = bool(given.genesis or given.witness)
        levels = Levels(code=source.code, pinned=pinned, witnessed=max(given.witness, default=-1))
        for violation in _found(source, book, made, levels=levels):  # (1) (2) (3)
            tallies[violation.invariant].add(violation)
        for violation in signatures.broken():  # (4)
            tallies[violation.invariant].add(violation)
    lines = tuple(_line(check, tallies[check.number]) for check in made)  # (5)
    return _report(source, book, lines=lines, levels=levels, now=now, seconds=time.monotonic() - began)


def _context(source: Source, book: Book, signatures: Signatures, *, given: Pins, deep: bool, now: datetime) -> Context:
    return Context(
        book=book,
        code=source.code,
        commits=source.commits,
        signatures=signatures,
        witness=given.witness,
        genesis=given.genesis,
        deep=deep,
        now=now,
    )


def _report(
    source: Source, book: Book, *, lines: tuple[Line, ...], levels: Levels, now: datetime, seconds: float
) -> Report:
    violated = any(line.standing is Standing.VIOLATED for line in lines)
    level, why = levels.lowest(book, clean=not violated)  # (7)
    return Report(
        source=source.name,
        kind=source.kind,
        head=f"{book.number} {book.head}",
        genesis=book.genesis_digest,
        project=book.genesis.project if book.genesis else "",
        events=book.count,
        runs=len(book.requests),
        seconds=round(seconds, 3),
        standing=Standing.VIOLATED if violated else Standing.CLEAN,
        level=level,
        level_reason=why,
        levels=levels.counts(),
        lines=lines,
        open=tuple(_open(book, now)),  # (6)
        owed=tuple(_owed(book, source.code, now)),
        break_glass=tuple(levels.glass),
        rests_on=levels.words,
    )


def read_witness(text: str) -> dict[int, str]:
    """Read what a witness wrote down: lines `number digest`, or `head: number digest` as comments have it.

    Other lines are left alone.

    Raises:
        OperatorError: if there is no such line, or two disagree.
    """
    doing = "reading the witness file"
    found: dict[int, str] = {}
    for line in text.splitlines():
        match = _WITNESS.fullmatch(line.strip())
        if match is None:
            continue
        number, digest = int(match[1]), match[2]
        if found.setdefault(number, digest) != digest:
            raise OperatorError(
                doing, f"it has two digests for event {number}", hint="one of them is of another ledger"
            )
    if not found:
        raise OperatorError(doing, "it has no line `number digest`", hint="copy them from the runner's comments")
    return found


def digest_of(text: str) -> str:
    """Read a digest as people keep it: whole, or cut to no less than 12 digits.

    Raises:
        OperatorError: if it is none.
    """
    digits = text.strip().removeprefix("sha256:").lower()
    if not re.fullmatch(r"[0-9a-f]{12,64}", digits):
        hint = "it has 12 to 64 digits of 0-9a-f; `runbook verify` prints it as genesis"
        raise OperatorError("reading the pinned genesis", f"{text[:80]!a} is no digest", hint=hint)
    return digits


def _found(source: Source, book: Book, checks: Iterable[Check], *, levels: Levels) -> Iterator[Violation]:
    looking = tuple(check for check in checks if type(check).see is not Check.see)
    for page in source.pages():
        seen = book.read(page)
        for check in looking:
            yield from check.see(seen)
        levels.see(seen)
        book.turn(seen)
    for check in checks:
        yield from check.end()


def _line(check: Check, tally: Tally) -> Line:
    reason = check.not_checked()
    standing = Standing.VIOLATED if tally.count else Standing.NOT_CHECKED if reason else Standing.CLEAN
    return Line(
        invariant=check.number,
        title=check.title,
        standing=standing,
        reason=reason,
        count=tally.count,
        violations=tuple(tally.first),
    )


def _owed(book: Book, code: Code | None, now: datetime) -> Iterator[Debt]:
    for told in book.open.values():
        if told.plan is None or not told.plan.emergency or told.run.start is None:
            continue
        events = (told.run.start, *told.given, *told.run.revoked)
        found = debt(told.plan, told.run.digest, sorted(events, key=lambda one: one.seq), code=code)
        if found:
            yield Debt(run=told.run.id, missing=found.missing, due=told.plan.owes_by, overdue=found.overdue(now))


def _open(book: Book, now: datetime) -> Iterator[Open]:
    for told in book.open.values():
        start = told.run.start
        if told.run.state not in {RunState.STARTED, RunState.INTERRUPTED} or start is None:
            continue
        body = start.body
        yield Open(
            run=told.run.id,
            event=start.seq,
            state=told.run.state.value,
            holder=body.owner if isinstance(body, Start) else "",
            locks=body.locks if isinstance(body, Start) else (),
            age=round((now - start.when).total_seconds(), 1),
        )
