"""A run's effects: start, submit, stop, finish, interrupt, expire. Each judges its precondition itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from runner.approval.decide import Verdict
from runner.digest import parse, sha256
from runner.errors import RequestError, RunbookError
from runner.evidence import layout
from runner.evidence.seal import end_draft, event_draft
from runner.execution import transcript
from runner.execution.outcome import Outcome
from runner.execution.outcomes import as_sent
from runner.execution.progress import Progress
from runner.ledger.bodies import Cancel, Expire, Interrupt, Start
from runner.ledger.chain import Draft
from runner.ledger.event import Event
from runner.ledger.state import State
from runner.plan.plan import Plan
from runner.plan.run import Run
from runner.snapshot import Known
from runner.supervisor import freezing, heartbeat, merges, orders, preparing, reverts
from runner.supervisor.desk import Desk
from runner.supervisor.gather import work_key
from runner.supervisor.judging import judged
from runner.supervisor.planning import plan_files
from runner.supervisor.record import append, current
from runner.supervisor.resuming import carried, previous


def start(desk: Desk, known: Known, *, watch: Callable[[Progress | None], None] = lambda _so_far: None) -> bool:
    """Judge again with the newest policy, members and comments, take the locks, and put the start on record.

    Raises:
        RequestError: if a file of the plan is lost, or it was planned for another executor.
        StoreAwayError, UnpreparedError: if a secret or the environment cannot be had.
        OutsideError: if forge or remote do not answer: then nothing starts.
    """
    plan = known.plan
    _where_it_was_planned(desk, plan)
    plan_files(desk, plan)
    if preparing.needed(plan):
        work = orders.preparation(desk, plan, notebook=orders.pinned(desk, plan), change=True)
        preparing.prepare(desk, plan, work, doing=f"starting {plan.run}", again=preparing.GO_ON, watch=watch)
    thread = desk.forge.thread(known.thread.issue.id, fresh=True)
    periods = freezing.kept(desk, plan, fresh=True)
    decision = judged(desk, known.run, plan, thread=thread, fresh=True, periods=periods)
    merged, frozen = merges.merged(desk, known.run, plan), freezing.recorded(periods)
    nonce = secrets.token_hex(16)

    def draft(fresh: Run, state: State) -> Draft | None:
        if state.halted is not None or any(lock in state.locks for lock in plan.locks):
            return None
        if decision.verdict is not Verdict.ALLOWED:
            return None
        if not reverts.still(desk, plan):
            return None
        if not set(decision.used) <= {event.seq for event in fresh.approvals}:
            return None
        body = Start(
            plan_digest=fresh.digest,
            attempt=fresh.next_attempt,
            nonce=nonce,
            locks=plan.locks,
            approvals=decision.used,
            policy_commit=desk.workspace.main,
            executor=desk.executor.name,
            isolation=plan.isolation,
            owner=desk.writer.actor,
            merged=merged,
            freezes=frozen,
        )
        return event_draft(fresh, plan, body, title=f"start: {plan.runbook.name} on {', '.join(plan.targets)}")

    return bool(append(desk.ledger, known.run, draft, writer=desk.writer, now=desk.now))


def _where_it_was_planned(desk: Desk, plan: Plan) -> None:
    """The place is part of what was approved, and of what the rehearsal saw."""
    if plan.executor != desk.executor.name:
        wrong = f"it was planned for executor {plan.executor}, and the settings now say {desk.executor.name}"
        raise RequestError(f"starting {plan.run}", wrong, hint="ask again in a new comment for a new plan")


def submit(desk: Desk, known: Known) -> None:
    """Hand the signed order over. No worker has claimed the start, so nothing of it ran."""
    event = known.run.start
    if event is None:
        raise TypeError(f"run {known.run.id} was never started")
    files = plan_files(desk, known.plan)
    given = carried(desk, known.run, known.plan)
    work = orders.attempt(desk, known.plan, digest=known.run.digest, start=event, files=files, carried=given)
    desk.executor.submit(work)


def stop(desk: Desk, known: Known) -> None:
    """Pass a recorded cancel on to the worker."""
    body = known.run.cancel.body if known.run.cancel else None
    if isinstance(body, Cancel):
        desk.executor.cancel(work_key(known.run), rollback=body.mode == "rollback")


def finish(desk: Desk, known: Known) -> bool:
    """Seal what the worker left, in one commit; `late` where the start was given up in between."""
    key = work_key(known.run)
    left = desk.executor.collect(key)
    outcome = parse(Outcome, left["outcome.json"])
    files = {name: data for name, data in left.items() if name == "executed.ipynb" or name.startswith("artifacts/")}
    if not outcome.cells:
        plan = known.plan
        outcome, saved = as_sent(outcome, orders.pinned(desk, plan), injected=plan.injected)
        files["executed.ipynb"] = saved

    def draft(fresh: Run, _state: State) -> Draft | None:
        if fresh.late is not None:
            return None
        used, before = _used(desk, fresh), previous(desk, fresh)
        return end_draft(fresh, known.plan, approvals=used, outcome=outcome, files=files, previous=before)

    done = append(desk.ledger, known.run, draft, writer=desk.writer, now=desk.now)
    desk.executor.forget(key)
    if outcome.seconds >= heartbeat.first_after(desk.workspace.settings.lease):
        _silence(desk, known.run)
    return bool(done)


def interrupt(desk: Desk, known: Known, *, reason: str) -> bool:
    """Record that what happened is unknown, with whatever a dead worker's transcript still shows."""
    event = known.run.start
    if event is None:
        raise TypeError(f"run {known.run.id} was never started")
    files = remains(desk, known.plan, attempt=known.run.attempt) if known.ours else {}
    body = Interrupt(start=event.seq, reason=reason, observer=desk.writer.actor)

    def draft(fresh: Run, _state: State) -> Draft | None:
        title = f"interrupt: {known.plan.runbook.name} on {', '.join(known.plan.targets)}"
        made = event_draft(fresh, known.plan, body, title=title)
        if not files:
            return made
        return Draft(body=body, run=made.run, title=made.title, files=files, trailers=made.trailers)

    done = append(desk.ledger, known.run, draft, writer=desk.writer, now=desk.now)
    if known.ours:
        desk.executor.forget(work_key(known.run))
    _silence(desk, known.run)
    return bool(done)


def expire(desk: Desk, known: Known) -> bool:
    """Record that the plan's time ran out."""
    body = Expire(plan_digest=known.run.digest)

    def draft(fresh: Run, _state: State) -> Draft | None:
        return event_draft(fresh, known.plan, body, title=f"expire: {known.plan.runbook.name}")

    return bool(append(desk.ledger, known.run, draft, writer=desk.writer, now=desk.now))


def sweep(desk: Desk) -> None:
    """Remove what a killed supervisor left behind: spools of runs that are over, rehearsals that nobody waits for.

    One supervisor works on a machine at a time, so a rehearsal that lies here now is nobody's.
    """
    for key in desk.executor.kept():
        run, _, what = key.partition("/")
        if what in orders.PASSING:
            desk.executor.cancel(key, rollback=False)
            desk.executor.forget(key)
        elif desk.ledger.cache.events(run) and current(desk.ledger, run).over:
            desk.executor.forget(key)


def _used(desk: Desk, run: Run) -> tuple[Event, ...]:
    """The approve events that the start names."""
    body = run.start.body if run.start else None
    numbers = body.approvals if isinstance(body, Start) else ()
    return tuple(event for event in desk.ledger.cache.events(run.id) if event.seq in numbers)


def remains(desk: Desk, plan: Plan, *, attempt: int) -> Mapping[str, bytes]:
    """What a dead worker's transcript proves, as files of the attempt."""
    said = desk.executor.progress(f"{plan.run}/{attempt}")
    if not said:
        return {}
    files = {layout.transcript_file(plan.run, attempt): said}
    notebook = desk.workspace.objects.read(plan.runbook.commit, plan.runbook.path)
    if notebook is not None and sha256(notebook) == plan.runbook.sha256:
        executed, _ = transcript.rebuild(said, notebook)
        files[layout.executed_file(plan.run, attempt)] = executed
    return files


def _silence(desk: Desk, run: Run) -> None:
    """Remove the heartbeat; one that stays behind hurts nobody."""
    try:
        heartbeat.stop(desk.workspace.objects, run.id)
    except RunbookError:
        return
