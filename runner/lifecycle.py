r"""A run's life on one page. Read this first.

    requested -> planned -> approved -> started -> finished
                    |           |          \-> interrupted -> resolved by a person
                    \-----------+-> expired | cancelled | rejected

`next_actions` looks at what is on record and at what people and machines say, and answers with everything that should
happen now. It is pure, and nobody else decides: the command line, a server and the reconcile loop only gather what it
reads, carry out what it answers, and ask again until it answers nothing. So whoever is killed anywhere, the next one
goes on from the record, and ends in the same place.

What it answers is a proposal. Every effect that matters judges its own precondition again at the moment when it becomes
true, inside the append to the ledger: a start is decided on the very state on which it is pushed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, assert_never

from runner.approval.collect import Recordable
from runner.approval.decide import Decision, Verdict
from runner.ledger.bodies import Status
from runner.ledger.event import from_iso
from runner.plan.plan import Plan
from runner.plan.run import Run, RunState
from runner.ports.executor import WorkState
from runner.ports.forge import CommentId, Thread
from runner.publication.labels import Label
from runner.publication.markers import Kind
from runner.request.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A run on record, and what the outside says of it now.

    Attributes:
        run: folded from the ledger.
        plan: the exact plan.
        thread: its issue as it reads now.
        decision: the newest policy's verdict; None unless the run is planned.
        holder: the run that holds one of its locks, if another does.
        ours: whether this supervisor's machine owns the start.
        work: what the executor knows of the current attempt.
        lost: whether the owner was silent for longer than the lease, on the observer's own clock.
        told: what has been said on the issue already.
        label: what the issue should be labelled with and is not; None if it is, or if a newer run speaks for it.
    """

    run: Run
    plan: Plan
    thread: Thread
    decision: Decision | None
    holder: str | None
    ours: bool
    work: WorkState
    lost: bool
    told: frozenset[Kind]
    label: Label | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Somebody's command that belongs on the record: `body` is what to append about `run`."""

    run: Run
    plan: Plan
    body: Recordable


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard:
    """A comment that gets an answer instead of an event; `key` makes the answer the only one."""

    thread: Thread
    key: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The forge and the ledger at one moment, as far as something may have to happen.

    `trouble` says what could not be read, in words; nothing happens about it, and everything else goes on. `read` are
    the comments that were there: whoever waits knows by them whether somebody has spoken since.
    """

    requests: tuple[Request, ...]
    heard: tuple[Heard, ...]
    unheard: tuple[Unheard, ...]
    runs: tuple[Known, ...]
    trouble: tuple[str, ...] = ()
    read: frozenset[CommentId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePlan:
    """Read the runbook, check the parameters, rehearse, freeze, append; or refuse with reasons."""

    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Reply to a comment, once."""

    unheard: Unheard


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Append what a person said."""

    heard: Heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Say something on the issue, once. Plan and result are never edited; status is, and proves nothing."""

    known: Known
    what: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Set the label of the issue; it mirrors where the run stands, and decides nothing."""

    known: Known
    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire:
    """The plan's time ran out."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Judge again, take the locks, append the start."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Hand the signed work order to the executor; safe to repeat."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Pass a recorded cancel on to the worker; saying it twice is saying it once."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Collect the sealed outcome and append it with its evidence (as `late` where the start was given up)."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupt:
    """Record that the owner is lost and that what happened is unknown; the locks stay held."""

    known: Known
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Close the issue of a run that succeeded and whose header asks for it."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Await:
    """Nothing to do but to keep a running worker company: heartbeat, progress, status comment."""

    known: Known


Action: TypeAlias = (
    MakePlan | Answer | Record | Tell | Mark | Expire | Start | Submit | Stop | Finish | Interrupt | Close | Await
)


def next_actions(snapshot: Snapshot, now: datetime) -> tuple[Action, ...]:
    """Say everything that should happen now; nothing if all that is left is to wait for people or for the time.

    Args:
        snapshot: ledger, forge and executor at one moment.
        now: the supervisor's time.
    """
    actions: list[Action] = [Record(heard=heard) for heard in snapshot.heard]
    actions += [Answer(unheard=unheard) for unheard in snapshot.unheard]
    for known in snapshot.runs:
        actions += _of_run(known, now)
    actions += [MakePlan(request=request) for request in snapshot.requests]
    # Waiting comes last: a run that takes an hour must not keep anybody's plan or answer back.
    return tuple(sorted(actions, key=lambda action: isinstance(action, Await)))


def _of_run(known: Known, now: datetime) -> Iterator[Action]:
    if Kind.PLAN not in known.told:
        yield Tell(known=known, what=Kind.PLAN)
    if known.label:
        yield Mark(known=known, label=known.label)
    match known.run.state:
        case RunState.PLANNED:
            yield from _planned(known, now)
        case RunState.STARTED:
            yield from _started(known)
        case RunState.INTERRUPTED | RunState.RESOLVED:
            yield from _given_up(known)
        case RunState.FINISHED:
            yield from _finished(known)
        case RunState.REJECTED | RunState.EXPIRED | RunState.CANCELLED:
            yield from _say_result(known)
        case state:
            assert_never(state)


def _planned(known: Known, now: datetime) -> Iterator[Action]:
    if now >= from_iso(known.run.plan.expires):
        yield Expire(known=known)
    elif known.decision and known.decision.verdict is Verdict.ALLOWED and known.holder is None:
        yield Start(known=known)


def _started(known: Known) -> Iterator[Action]:
    if not known.ours:
        if known.lost:
            yield Interrupt(known=known, reason="its owner was silent for longer than the lease")
        return
    if Kind.STATUS not in known.told:
        yield Tell(known=known, what=Kind.STATUS)
    match known.work:
        case WorkState.UNKNOWN | WorkState.SUBMITTED:
            # No worker has claimed it, so nothing ran: the same start may be handed over (again).
            yield Submit(known=known)
        case WorkState.RUNNING:
            if known.run.cancel:
                yield Stop(known=known)
            yield Await(known=known)
        case WorkState.SEALED:
            yield Finish(known=known)
        case WorkState.DEAD:
            yield Interrupt(known=known, reason="its worker died before the outcome was sealed")
        case state:
            assert_never(state)


def _given_up(known: Known) -> Iterator[Action]:
    if Kind.INTERRUPTED not in known.told:
        yield Tell(known=known, what=Kind.INTERRUPTED)
    if known.run.late is None:
        if known.ours and known.work is WorkState.SEALED:
            yield Finish(known=known)
    elif Kind.LATE not in known.told:
        yield Tell(known=known, what=Kind.LATE)
    if known.run.state is RunState.RESOLVED:
        yield from _say_result(known)


def _finished(known: Known) -> Iterator[Action]:
    yield from _say_result(known)
    said = Kind.RESULT in known.told
    if said and known.plan.close_issue and known.run.outcome is Status.SUCCEEDED and known.thread.issue.open:
        yield Close(known=known)


def _say_result(known: Known) -> Iterator[Action]:
    if Kind.RESULT not in known.told:
        yield Tell(known=known, what=Kind.RESULT)
