"""Putting things on record: every append judges its precondition again on the very state that it is built on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from runner.approval.collect import Recordable
from runner.evidence.seal import event_draft
from runner.ledger.chain import Draft, Ledger, Writer
from runner.ledger.event import Event
from runner.ledger.state import State
from runner.plan.plan import Plan
from runner.plan.run import Run, fold, may_follow, misfit

Clock = Callable[[], datetime]


def current(ledger: Ledger, run: str) -> Run:
    """The run as the ledger has it now."""
    return fold(ledger.cache.events(run))


def append(
    ledger: Ledger,
    run: Run,
    draft: Callable[[Run, State], Draft | None],
    *,
    writer: Writer,
    now: Clock,
) -> tuple[Event, ...]:
    """Append one event about a run, unless it may not come any more on the newest state.

    Args:
        ledger: where to.
        run: which run; read afresh at every try.
        draft: says what to append, from the run and the ledger as they are at that try; None for nothing.
        writer: who signs.
        now: the clock.

    Returns:
        The event, or nothing if another supervisor was first or the draft declined.
    """

    def build(state: State) -> Sequence[Draft]:
        fresh = current(ledger, run.id)
        made = draft(fresh, state)
        if made is None or not may_follow(fresh, made.body) or misfit(fresh, made.body):
            return []
        return [made]

    return ledger.append(build, writer=writer, now=now)


def heard(ledger: Ledger, run: Run, body: Recordable, *, plan: Plan, writer: Writer, now: Clock) -> bool:
    """Record what a person said about a run; once for each comment."""

    def draft(fresh: Run, _state: State) -> Draft | None:
        if body.said.comment in fresh.comments:
            return None
        word = type(body).__name__.lower()
        return event_draft(fresh, plan, body, title=f"{word}: {plan.runbook.name} by {body.said.by}")

    return bool(append(ledger, run, draft, writer=writer, now=now))
