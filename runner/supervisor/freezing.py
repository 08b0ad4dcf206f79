"""The forge's freeze periods, at a desk: asked for only where policy lets them count."""

from __future__ import annotations

from runner.approval.periods import NOTHING_KEPT, Kept
from runner.errors import RunbookError
from runner.ledger.frozen import Frozen
from runner.plan.plan import Plan
from runner.supervisor.desk import Desk


def kept(desk: Desk, plan: Plan, *, fresh: bool = False) -> Kept:
    """What the forge says of its freeze periods, or why it does not.

    Args:
        desk: at hand.
        plan: what they might hold.
        fresh: ask now: a start is about to be judged.
    """
    if not desk.policy.periods.speak_of(plan.runbook.name, plan.targets):
        return NOTHING_KEPT
    try:
        return Kept(periods=desk.forge.freezes(fresh=fresh))
    except RunbookError as error:
        return Kept(problem=error.wrong or str(error))


def recorded(kept: Kept) -> tuple[Frozen, ...]:
    """What a start was judged by, for the record."""
    return tuple(Frozen(id=one.id, start=one.start, end=one.end, zone=one.zone) for one in kept.periods)
