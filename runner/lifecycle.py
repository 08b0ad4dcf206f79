r"""A run's life on one page. Read this first.

    requested -> planned -> approved -> started -> finished ---resume--> planned (next attempt)
                    |           |          \-> interrupted -> resolved by a person ---resume--> planned
                    \-----------+-> expired | cancelled | rejected

`next_actions` looks at what is on record and at what people and machines say, and answers with everything that should
happen now. It is pure, and nobody else decides: the command line, a server and the reconcile loop only gather what it
reads, carry out what it answers, and ask again until it answers nothing. So whoever is killed anywhere, the next one
goes on from the record, and ends in the same place.

What it answers is a proposal. Every effect that matters judges its own precondition again at the moment when it becomes
true, inside the append to the ledger: a start is decided on the very state on which it is pushed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import assert_never

from runner.actions import (
    Action,
    Answer,
    Ask,
    Assign,
    Await,
    Close,
    Deliver,
    Expire,
    Finish,
    Interrupt,
    MakePlan,
    Mark,
    OwnUp,
    Propose,
    Record,
    Start,
    Stop,
    Submit,
    Switch,
    Tell,
    Withdraw,
)
from runner.approval.decide import Verdict
from runner.execution.transcript import Asked
from runner.ledger.bodies import Halt, Resume, Status
from runner.ledger.event import from_iso
from runner.plan.run import RunState
from runner.ports.executor import WorkState
from runner.publication.markers import Kind
from runner.snapshot import Known, Snapshot


def next_actions(snapshot: Snapshot, now: datetime) -> tuple[Action, ...]:
    """Say everything that should happen now; nothing if all that is left is to wait for people or for the time.

    Args:
        snapshot: ledger, forge and executor at one moment.
        now: the supervisor's time.
    """
    actions: list[Action] = [Switch(body=snapshot.switch)] if snapshot.switch else []
    actions += [OwnUp(glass=one) for one in snapshot.glass if one.work is not WorkState.RUNNING]
    actions += [Record(heard=heard) for heard in snapshot.heard]
    actions += [Answer(unheard=unheard) for unheard in snapshot.unheard]
    for known in snapshot.runs:
        # Somebody's halt that is not on record yet is believed already; an unhalt only when it is.
        halted = known.halted is not None or isinstance(snapshot.switch, Halt)
        actions += _of_run(known, now, halted=halted)
    actions += [MakePlan(request=request) for request in snapshot.requests]
    return tuple(sorted(actions, key=_turn))


def due(actions: Sequence[Action]) -> tuple[Action, ...]:
    """Those whose turn it is; after them everything is looked at again.

    What takes effect comes first, so that people are told while the worker runs. New plans come one by one, so that the
    first may start while the second is rehearsed. Waiting comes last: a run that takes an hour keeps nobody back.
    """
    first = min(map(_turn, actions), default=0)
    turn = tuple(action for action in actions if _turn(action) == first)
    return turn[:1] if first == _PLANS else turn


_EFFECTS, _WORDS, _PLANS, _WAITS = range(4)


def _turn(action: Action) -> int:
    match action:
        case Answer() | Tell() | Mark() | Assign() | Close():
            return _WORDS
        case Record(heard=heard) if isinstance(heard.body, Resume):
            # How an attempt ended is said before the next one begins: afterwards nobody would say it any more.
            return _PLANS
        case MakePlan():
            return _PLANS
        case Await():
            return _WAITS
        case _:
            return _EFFECTS


def _of_run(known: Known, now: datetime, *, halted: bool) -> Iterator[Action]:
    if Kind.PLAN not in known.told and not _to_be_put_up(known):
        yield Tell(known=known, what=Kind.PLAN)
    yield from _shown(known)
    match known.run.state:
        case RunState.PLANNED:
            yield from _planned(known, now, halted=halted)
        case RunState.STARTED:
            yield from _started(known, halted=halted)
        case RunState.INTERRUPTED | RunState.RESOLVED:
            yield from _given_up(known)
        case RunState.FINISHED:
            yield from _finished(known)
        case RunState.REJECTED | RunState.EXPIRED | RunState.CANCELLED:
            if known.plan.proposal and Kind.RESULT not in known.told:
                yield Withdraw(known=known)
            yield from _say_result(known)
        case state:
            assert_never(state)
    if known.owed and known.owed.worth_a_reminder(now) and Kind.OWED not in known.told:
        yield Tell(known=known, what=Kind.OWED)


def _shown(known: Known) -> Iterator[Action]:
    """What the list of issues shows of it."""
    if known.label:
        yield Mark(known=known, label=known.label)
    if known.unassigned:
        yield Assign(known=known)


def _planned(known: Known, now: datetime, *, halted: bool) -> Iterator[Action]:
    if now >= from_iso(known.run.plan.expires):
        yield Expire(known=known)
    elif _to_be_put_up(known):
        yield Propose(known=known)
    elif known.decision and known.decision.allowed and known.holder is None and not known.ahead and not halted:
        yield Start(known=known)


def _to_be_put_up(known: Known) -> bool:
    """Whether the change that it proposes has yet to be put up for review; people are told where that is."""
    proposes = known.plan.proposal is not None and known.run.state is RunState.PLANNED
    may = known.decision is not None and known.decision.verdict is not Verdict.DENIED
    return proposes and may and known.review is None and Kind.PLAN not in known.told


def _started(known: Known, *, halted: bool) -> Iterator[Action]:
    if not known.ours:
        if known.lost:
            yield Interrupt(known=known, reason="its owner was silent for longer than the lease")
        return
    match known.work:
        case WorkState.UNKNOWN | WorkState.SUBMITTED:
            # No worker has claimed it, so nothing ran: the same start may be handed over (again), but for a halt.
            if not halted:
                yield Submit(known=known)
        case WorkState.RUNNING:
            yield from _running(known)
        case WorkState.SEALED:
            yield Finish(known=known)
        case WorkState.DEAD:
            yield Interrupt(known=known, reason=known.died or "its worker died before the outcome was sealed")
        case state:
            assert_never(state)


def _running(known: Known) -> Iterator[Action]:
    if known.run.cancel:
        yield Stop(known=known)
    elif known.asked:
        yield from _asking(known, known.asked)
    yield Await(known=known)


def _asking(known: Known, asked: Asked) -> Iterator[Action]:
    if asked.ordinal > len(known.run.questions):
        yield Ask(known=known)
    elif asked.ordinal == len(known.run.answers):
        yield Deliver(known=known)
    elif Kind.QUESTION not in known.told:
        yield Tell(known=known, what=Kind.QUESTION)


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
    wished = known.plan.close_issue and known.run.outcome is Status.SUCCEEDED
    # An emergency's issue stays open as long as it owes approvals.
    if wished and known.thread.issue.open and not known.owed:
        yield Close(known=known)


def _say_result(known: Known) -> Iterator[Action]:
    if Kind.RESULT not in known.told:
        yield Tell(known=known, what=Kind.RESULT)
