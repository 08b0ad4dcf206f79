"""Gathering: everything that `lifecycle.next_actions` reads, from ledger, forge and executor. Changes nothing."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from runner.approval.collect import commands_of
from runner.errors import IntegrityError, RequestError, RunbookError
from runner.execution import transcript
from runner.execution.transcript import Asked as Waits
from runner.ledger.bodies import Start
from runner.plan.run import Run, RunState, fold
from runner.ports.executor import WorkState
from runner.ports.forge import Forge, Issue, IssueId, PersonId, Thread
from runner.publication import labels, markers
from runner.publication.labels import Label
from runner.publication.markers import Kind
from runner.repository import refs
from runner.request.request import Asked, Request, requests
from runner.snapshot import Heard, Known, Snapshot
from runner.supervisor import glass as glasses
from runner.supervisor import halting, merges, reviewing
from runner.supervisor.desk import Desk
from runner.supervisor.heartbeat import PREFIX, Observer
from runner.supervisor.judging import debt, judged
from runner.supervisor.listening import heard_on, problems
from runner.supervisor.telling import attempt_of
from runner.supervisor.waiting import in_line

RECENT = 200
"""Events from the end of the ledger whose runs are looked at even if over: their last words may be missing."""


def work_key(run: Run) -> str:
    """How the executor calls the current attempt of a run."""
    return f"{run.id}/{run.attempt}"


def gather(desk: Desk, observer: Observer, *, only: IssueId | None = None) -> Snapshot:
    """Look at everything once.

    Args:
        desk: freshly opened.
        observer: of other owners' heartbeats.
        only: look at one issue alone.

    Raises:
        OutsideError: if the forge or the remote does not answer: nothing is concluded from silence.
    """
    issues = [only] if only else [issue.id for issue in desk.forge.issues()]
    threads, trouble = _threads(desk.forge, issues, needed=only)
    asked = {issue: asked_on(desk, thread) for issue, thread in threads.items()}
    runs = _runs(desk, asked.values(), only=only)
    others, more = _threads(desk.forge, {IssueId(run.plan.issue) for run in runs} - set(issues))
    # Under a live run people are heard on a closed issue too: else nobody could cancel or resolve it any more.
    # So they are where an emergency may owe approvals.
    owing = set(desk.ledger.cache.owing())
    live = {run.plan.issue for run in runs if not run.over or run.id in owing}
    asked |= {issue: Asked(requests=(), problems=()) for issue in others if issue in live}
    threads |= others
    known = _at_work(desk, runs, threads, observer=observer)
    _settle(desk, known)
    places = {issue: threads[issue] for issue in asked}
    if only and any(map(_may_begin, known)):
        # Somebody may have halted everything on any issue.
        places |= _threads(desk.forge, {issue.id for issue in desk.forge.issues()}.difference(places))[0]
    commands = {issue: commands_of(thread, bot=desk.workspace.settings.bot) for issue, thread in places.items()}
    switch, unheard = halting.pulled(desk, commands, threads=places)
    heard: list[Heard] = []
    fresh: list[Request] = []
    for issue, found in asked.items():
        thread, answered = threads[issue], markers.answered(threads[issue])
        here = [one for one in known if one.run.plan.issue == issue]
        taken, refused = heard_on(desk, thread, here, found=commands[issue], answered=answered)
        merged, unmet = merges.on(desk, here)
        heard, unheard = [*heard, *taken, *merged], [*unheard, *refused, *unmet, *problems(thread, found, answered)]
        fresh += [one for one in found.requests if _is_new(desk, one.key, answered)]
    glass, unread = glasses.pending(desk)
    return Snapshot(
        requests=tuple(fresh),
        heard=tuple(heard),
        unheard=tuple(unheard),
        runs=known,
        switch=switch,
        trouble=(*trouble, *more, *unread),
        glass=glass,
        read=frozenset(comment.id for thread in threads.values() for comment in thread.comments),
    )


def _at_work(
    desk: Desk, runs: Sequence[Run], threads: Mapping[IssueId, Thread], *, observer: Observer
) -> tuple[Known, ...]:
    """What the outside says of each run, and which of their owners are silent."""
    beats = refs.heads(desk.workspace.repository, f"{PREFIX}*") if _foreign(desk, runs) else {}
    readable = [run for run in runs if run.plan.issue in threads]
    seen = [
        _known(desk, run, thread=threads[IssueId(run.plan.issue)], beats=beats, observer=observer) for run in readable
    ]
    # What has started must come to its end on record, even if its issue cannot be read and nothing can be said there.
    mute = [
        _mute(desk, run, beats=beats, observer=observer)
        for run in runs
        if run.plan.issue not in threads and run.state in {RunState.STARTED, RunState.PLANNED}
    ]
    observer.save(frozenset(run.id for run in runs if not run.over))
    return _labelled(desk, in_line(desk, seen)) + tuple(mute)


def _may_begin(known: Known) -> bool:
    """Whether it would start in this round."""
    return known.decision is not None and known.decision.allowed and known.holder is None and not known.ahead


def _settle(desk: Desk, known: Iterable[Known]) -> None:
    """Forget debts that are paid, in the local table alone: emergencies of years must not be judged in every round."""
    owing = set(desk.ledger.cache.owing())
    for one in known:
        if one.run.id in owing and one.owed is None and (one.run.start or one.run.over):
            desk.ledger.cache.settle(one.run.id)


def unheard(desk: Desk, observer: Observer) -> Snapshot:
    """Look at what has started on this machine without the forge: it comes to its end on record whoever is away."""
    runs = [fold(desk.ledger.cache.events(run)) for run in desk.ledger.cache.live()]
    mine = [run for run in runs if run.state is RunState.STARTED and _ours(desk, run)]
    known = tuple(_mute(desk, run, beats={}, observer=observer) for run in mine)
    return Snapshot(requests=(), heard=(), unheard=(), runs=known)


def somebody_spoke(desk: Desk, snapshot: Snapshot, *, only: IssueId | None) -> bool:
    """Whether people have written anything since: on any issue, because a run that takes an hour keeps nobody waiting.

    Args:
        desk: at hand.
        snapshot: what was read.
        only: look at one issue alone.
    """
    try:
        issues = {issue.id for issue in desk.forge.issues()}
        issues = {only} if only else issues
        issues |= {IssueId(known.run.plan.issue) for known in snapshot.runs if not known.run.over}
        threads, _ = _threads(desk.forge, issues)
    except RunbookError:
        return False
    said = (comment for thread in threads.values() for comment in thread.comments if not comment.ours)
    return any(comment.id not in snapshot.read for comment in said)


def look(desk: Desk, *, run: str = "") -> tuple[Known, ...]:
    """The live runs and the recent ones, as far as this clone knows: for people who look, and for nothing else.

    Args:
        desk: at hand.
        run: look at this one alone, however old it is.
    """
    events = desk.ledger.cache.events(run) if run else ()
    runs = ([fold(events)] if events else []) if run else _runs(desk, (), only=None)
    threads, _ = _threads(desk.forge, {IssueId(run.plan.issue) for run in runs})
    runs = [run for run in runs if run.plan.issue in threads]
    observer = Observer(Path(os.devnull), lease=math.inf, monotonic=time.monotonic, boot="")
    known = [_known(desk, run, thread=threads[IssueId(run.plan.issue)], beats={}, observer=observer) for run in runs]
    return in_line(desk, known)


def asked_on(desk: Desk, thread: Thread) -> Asked:
    """What an issue asks for."""
    forge = desk.forge
    return requests(thread, forge=forge.name, project=forge.project, bot=desk.workspace.settings.bot)


def _threads(
    forge: Forge, issues: Iterable[IssueId], *, needed: IssueId | None = None
) -> tuple[dict[IssueId, Thread], tuple[str, ...]]:
    """Read issues whole. One that was tampered with, or is gone, is left alone and said; it must not stop the others.

    Only the one that is `needed` has to be there.
    """
    threads: dict[IssueId, Thread] = {}
    trouble = []
    for issue in sorted(issues):
        try:
            threads[issue] = forge.thread(issue)
        except (IntegrityError, RequestError) as error:
            if isinstance(error, RequestError) and issue == needed:
                raise
            trouble.append(f"issue {issue} is left alone: {error}")
    return threads, tuple(trouble)


def _is_new(desk: Desk, key: str, answered: frozenset[str]) -> bool:
    return desk.ledger.cache.run_of(key) is None and key not in answered


def _runs(desk: Desk, asked: Iterable[Asked], *, only: IssueId | None) -> list[Run]:
    cache = desk.ledger.cache
    named = {cache.run_of(request.key) for found in asked for request in found.requests}
    if only is None:
        named |= {*cache.live(), *cache.owing()}
        named |= {event.run for event, _ in cache.since(desk.ledger.state.seq - RECENT)}
    runs = [fold(cache.events(run)) for run in sorted(one for one in named if one)]
    return [run for run in runs if only is None or run.plan.issue == only]


def _foreign(desk: Desk, runs: Iterable[Run]) -> bool:
    return any(run.state is RunState.STARTED and not _ours(desk, run) for run in runs)


def _ours(desk: Desk, run: Run) -> bool:
    return run.start is not None and isinstance(run.start.body, Start) and run.start.body.owner == desk.me


def _known(desk: Desk, run: Run, *, thread: Thread, beats: dict[str, str], observer: Observer) -> Known:
    plan = desk.plan(run)
    ours = _ours(desk, run)
    watched = run.state is RunState.STARTED and not ours
    work = desk.executor.state(work_key(run)) if ours else WorkState.UNKNOWN
    return Known(
        run=run,
        plan=plan,
        thread=thread,
        decision=judged(desk, run, plan, thread=thread) if run.state is RunState.PLANNED else None,
        holder=_holder(desk, run),
        ours=ours,
        work=work,
        died=desk.executor.why(work_key(run)) if work is WorkState.DEAD else "",
        owed=debt(desk, run, plan),
        halted=desk.ledger.state.halted,
        review=reviewing.found(desk, run, plan) if run.state is RunState.PLANNED else None,
        lost=watched and observer.lost(run.id, beats.get(PREFIX + run.id, "")),
        told=_told(thread, run),
        asked=_asked(desk, run) if ours and run.state is RunState.STARTED else None,
    )


def _asked(desk: Desk, run: Run) -> Waits | None:
    """What the worker waits to know from a person, if it does."""
    key = work_key(run)
    return transcript.question(desk.executor.progress(key)) if desk.executor.state(key) is WorkState.RUNNING else None


def _labelled(desk: Desk, known: tuple[Known, ...]) -> tuple[Known, ...]:
    """The same runs, with the label and the assignee that are missing: the newest run of an issue speaks for it."""
    # By place in the ledger: the ids of two runs of one second are in no order.
    newest = {one.run.plan.issue: one.run.id for one in sorted(known, key=lambda one: one.run.planned.seq)}
    return tuple(
        replace(one, label=_missing(desk, one), unassigned=_unassigned(one))
        if newest[one.run.plan.issue] == one.run.id
        else one
        for one in known
    )


def _unassigned(known: Known) -> bool:
    return known.thread.issue.open and not known.thread.assigned and not known.run.over


def _missing(desk: Desk, known: Known) -> Label | None:
    wanted = labels.label_of(known.run, allowed=known.decision is not None and known.decision.enough)
    has, names = known.thread.issue.labels, desk.workspace.settings.labels
    return wanted if any(labels.change(has, wanted, risk=known.plan.risk, names=names)) else None


def _mute(desk: Desk, run: Run, *, beats: dict[str, str], observer: Observer) -> Known:
    """A run whose issue cannot be read: as if everything had been said there already."""
    issue = Issue(
        id=IssueId(run.plan.issue),
        title="",
        author=PersonId(""),
        created=run.planned.when,
        open=False,
        labels=frozenset(),
    )
    known = _known(desk, run, thread=Thread(issue=issue, comments=()), beats=beats, observer=observer)
    return replace(known, told=frozenset(Kind))


def _holder(desk: Desk, run: Run) -> str | None:
    """Which other run holds a lock that this one needs."""
    locks = desk.ledger.state.locks
    for name in run.plan.locks:
        event = desk.ledger.cache.event(locks[name]) if name in locks else None
        if event and event.run and event.run != run.id:
            return event.run
    return None


def _told(thread: Thread, run: Run) -> frozenset[Kind]:
    return frozenset(what for what in Kind if markers.find(thread, markers.of(run.id, what, attempt_of(run, what))))
