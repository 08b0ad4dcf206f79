"""Making ready: whether what a run needs can be had, before it is planned or started in vain.

Only workers see secrets and build environments, so the question is an order like any other, of which no cell is
executed. Asked before a start, no lock is held while an environment is built, and a sealed store costs no attempt: the
run stays as it is, and the next call asks again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from runner.digest import parse
from runner.errors import OperatorError, OutsideError
from runner.execution import environments
from runner.execution.needs import UNAVAILABLE
from runner.execution.outcome import ExitReason, Outcome
from runner.execution.progress import Progress
from runner.ledger.bodies import Status
from runner.plan.plan import Plan
from runner.ports.executor import Work, WorkState
from runner.supervisor.desk import Desk
from runner.supervisor.following import Following

GRACE = 60.0
"""Seconds beyond the run's own time limit after which a worker that does not end is given up."""
POLL = 0.05
GO_ON, ASK_AGAIN = "run `runbook reconcile --once`", "ask again in a new comment"
"""What is done once everything can be had."""


class StoreAwayError(OutsideError):
    """A secret store is sealed or away: the request or run waits, and is tried again."""


class UnpreparedError(OperatorError):
    """A secret or an environment cannot be had until somebody corrects something."""


def needed(plan: Plan) -> bool:
    """Whether a plan needs anything that may not be there."""
    return plan.environment is not None or bool(plan.read_secrets or plan.change_secrets)


def prepare(
    desk: Desk, plan: Plan, work: Work, *, doing: str, again: str, watch: Callable[[Progress | None], None]
) -> None:
    """Have a worker make everything ready.

    Args:
        desk: with the executor.
        plan: what it is for.
        work: the order, of mode `prepare`.
        doing: what is being done, for errors.
        again: what to do once what is wrong was corrected.
        watch: called again and again while it lasts.

    Raises:
        StoreAwayError, UnpreparedError: if something cannot be had.
        OutsideError: if the worker does not end.
    """
    # Whatever an earlier call left says nothing about now.
    desk.executor.forget(work.key)
    left = carried_out(desk, plan, work, doing=doing, watch=watch)
    desk.executor.forget(work.key)
    outcome = parse(Outcome, left["outcome.json"])
    check(outcome, doing=doing, again=again)
    if outcome.status is not Status.SUCCEEDED:
        raise UnpreparedError(doing, outcome.message, hint=f"nothing was started; correct it, then {again}")


def check(outcome: Outcome, *, doing: str, again: str) -> None:
    """See whether a worker got what it needed.

    Args:
        outcome: how its order ended.
        doing: what is being done, for errors.
        again: what to do once what is wrong was corrected.

    Raises:
        StoreAwayError, UnpreparedError: if not; no cell was executed then.
    """
    if outcome.exit_reason is ExitReason.STORE_AWAY:
        raise StoreAwayError(doing, outcome.message, hint=f"nothing was started; then {GO_ON}")
    if outcome.exit_reason in UNAVAILABLE:
        raise UnpreparedError(doing, outcome.message, hint=f"nothing was started; correct it, then {again}")


def carried_out(
    desk: Desk, plan: Plan, work: Work, *, doing: str, watch: Callable[[Progress | None], None]
) -> Mapping[str, bytes]:
    """Submit work that nothing but this call waits for, and return what its worker left.

    Raises:
        OutsideError: if the worker dies or does not end.
    """
    desk.executor.submit(work)
    try:
        return _left(desk, work.key, plan, doing=doing, watch=watch)
    except BaseException:
        # Nobody will look at what it would still find out.
        desk.executor.cancel(work.key, rollback=False)
        raise


def _left(
    desk: Desk, key: str, plan: Plan, *, doing: str, watch: Callable[[Progress | None], None]
) -> Mapping[str, bytes]:
    building = 2 * environments.TIMEOUT if plan.environment else 0.0
    limit = plan.timeout + GRACE + building
    deadline = time.monotonic() + limit
    following = Following(desk.executor, key)
    while time.monotonic() < deadline:
        match desk.executor.state(key):
            case WorkState.SEALED:
                return desk.executor.collect(key)
            case WorkState.DEAD | WorkState.UNKNOWN:
                hint = "write the request again; look at the worker's log in the state folder if it happens twice"
                raise OutsideError(doing, "the worker died", hint=hint)
            case WorkState.SUBMITTED | WorkState.RUNNING:
                watch(following.look())
                time.sleep(POLL)
    raise OutsideError(doing, f"it did not end within {limit:.0f} s")
