"""The queue as a supervisor sees it: each run that may start learns who is ahead of it, on any issue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from runner.errors import IntegrityError, RequestError
from runner.plan.plan import Plan
from runner.plan.queue import Waiting, ahead
from runner.plan.run import Run, RunState, fold
from runner.ports.forge import IssueId
from runner.snapshot import Known
from runner.supervisor.desk import Desk
from runner.supervisor.judging import judged
from runner.supervisor.planning import plan_files


def in_line(desk: Desk, known: Sequence[Known]) -> tuple[Known, ...]:
    """The same runs, those that may start now with the runs that come before them.

    Args:
        desk: at hand.
        known: runs, perhaps of one issue only; who waits elsewhere for the same locks is asked too.
    """
    mine = [
        _waiting(one.run, one.plan)
        for one in known
        if one.decision is not None and one.decision.allowed and files_are_here(desk, one.plan)
    ]
    if not mine:
        return tuple(known)
    before = ahead([*mine, *_elsewhere(desk, mine, known={one.run.id for one in known})])
    return tuple(replace(one, ahead=before.get(one.run.id, ())) for one in known)


def files_are_here(desk: Desk, plan: Plan) -> bool:
    """Whether this machine has what the rehearsal left for the run: else it cannot start here, nor hold others up.

    Whoever only looks does not need them.
    """
    if desk.hand is None:
        return True
    try:
        plan_files(desk, plan)
    except RequestError:
        return False
    return True


def _elsewhere(desk: Desk, mine: Sequence[Waiting], *, known: set[str]) -> Iterator[Waiting]:
    """Who else may start now and wants one of the same locks."""
    wanted = {lock for one in mine for lock in one.locks}
    for run in _planned(desk, known):
        if wanted.isdisjoint(run.plan.locks):
            continue
        try:
            plan, thread = desk.plan(run), desk.forge.thread(IssueId(run.plan.issue))
        except (IntegrityError, RequestError):
            # Its issue or plan was tampered with, or is gone: it will not start, so it holds nobody up.
            continue
        if judged(desk, run, plan, thread=thread).allowed and files_are_here(desk, plan):
            yield _waiting(run, plan)


def _planned(desk: Desk, known: Iterable[str]) -> Iterator[Run]:
    cache = desk.ledger.cache
    for name in set(cache.live()).difference(known):
        run = fold(cache.events(name))
        if run.state is RunState.PLANNED:
            yield run


def _waiting(run: Run, plan: Plan) -> Waiting:
    return Waiting(run=run.id, planned=run.planned.seq, locks=plan.locks, urgent=bool(plan.emergency))
