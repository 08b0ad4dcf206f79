"""Owning up: what ran by break-glass is put on record once the remote answers, in one step, with an issue about it.

The events are those of a run whose owner was lost and came back (plan, start, interrupt, late), so that everything that
reads the record knows already what it means: nobody approved it in time, nothing was locked, what it came to is only
told, and somebody on call has to say what it did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.digest import parse
from runner.evidence.seal import end_draft, event_draft, plan_draft
from runner.execution.outcome import Outcome
from runner.ledger.bodies import Body, Interrupt, Start
from runner.ledger.chain import Draft
from runner.ledger.event import Event, iso
from runner.ledger.state import State
from runner.plan.plan import Plan
from runner.plan.run import Run, fold, step
from runner.ports.executor import WorkState
from runner.ports.forge import IssueId
from runner.publication import comments, markers
from runner.snapshot import Glass
from runner.supervisor import glass as glasses
from runner.supervisor.desk import Desk
from runner.supervisor.running import remains

RAN = "ran without the remote, by break-glass"


def own_up(desk: Desk, glass: Glass) -> bool:
    """Open an issue about it and append everything at once; known already, only what lies here is removed.

    Returns:
        False while its worker lives.
    """
    plan, key = glass.plan, glasses.key(glass.plan)
    if desk.ledger.cache.run_of(plan.requested.key) is None:
        if desk.executor.state(key) is WorkState.SUBMITTED:
            # No worker has made it its own, and none may any more: whoever comes now executes nothing.
            desk.executor.cancel(key, rollback=False)
        work = desk.executor.state(key)
        if work is WorkState.RUNNING:
            return False
        issue = _issue(desk, glass)
        left = desk.executor.collect(key) if work is WorkState.SEALED else {}

        def build(state: State) -> Sequence[Draft]:
            if desk.ledger.cache.run_of(plan.requested.key) is not None:
                return []
            return _drafts(desk, glass, state=state, issue=issue, left=left)

        desk.ledger.append(build, writer=desk.writer, now=desk.now)
    desk.executor.forget(key)
    glasses.remove(desk, plan)
    return True


def _issue(desk: Desk, glass: Glass) -> IssueId:
    """The issue about it: the one that was opened before by somebody who was killed then, or a new one."""
    plan = glass.plan
    marker = markers.glass(plan.run)
    for issue in desk.forge.issues(only_open=False):
        if plan.run in issue.title and markers.find(desk.forge.thread(issue.id), marker):
            return issue.id
    title = f"Break-glass: {plan.runbook.name} ({plan.run})"
    return desk.forge.open_issue(title, comments.glass_issue(plan=plan, request=glass.request)).id


def _drafts(desk: Desk, glass: Glass, *, state: State, issue: IssueId, left: Mapping[str, bytes]) -> tuple[Draft, ...]:
    """Plan, start, interrupt and, if the worker sealed one, its late result, numbered from the ledger's end."""
    plan = glass.plan
    first = plan_draft(plan, said=glass.said, request=glass.request, rehearsal=None, issue=issue)
    run = fold([_event(desk, plan, first.body, seq=state.seq + 1)])
    what = f"{plan.runbook.name} on {', '.join(plan.targets)}"
    begun = Start(
        plan_digest=plan.digest,
        attempt=1,
        nonce=plan.nonce,
        locks=(),
        approvals=(),
        policy_commit=plan.policy_commit,
        executor=desk.executor.name,
        isolation=plan.isolation,
        owner=desk.writer.actor,
        after=True,
    )
    second = event_draft(run, plan, begun, title=f"start: {what} (break-glass, recorded afterwards)")
    run = step(run, _event(desk, plan, begun, seq=state.seq + 2))
    third = _interrupt(desk, run, plan, sealed=bool(left))
    if not left:
        return first, second, third
    run = step(run, _event(desk, plan, third.body, seq=state.seq + 3))
    outcome = parse(Outcome, left["outcome.json"])
    files = {name: data for name, data in left.items() if name == "executed.ipynb" or name.startswith("artifacts/")}
    return first, second, third, end_draft(run, plan, approvals=(), outcome=outcome, files=files)


def _interrupt(desk: Desk, run: Run, plan: Plan, *, sealed: bool) -> Draft:
    """That nobody else saw it; where no result was sealed, with what is left of its worker."""
    files = {} if sealed else remains(desk, plan, attempt=1)
    began = "its worker died before the outcome was sealed" if files else "no cell of it is known to have run"
    reason = RAN if sealed else f"{RAN}; {began}"
    body = Interrupt(start=run.start.seq if run.start else -1, reason=reason, observer=desk.writer.actor)
    made = event_draft(run, plan, body, title=f"interrupt: {plan.runbook.name} on {', '.join(plan.targets)}")
    if not files:
        return made
    return Draft(body=body, run=made.run, title=made.title, files=files, trailers=made.trailers)


def _event(desk: Desk, plan: Plan, body: Body, *, seq: int) -> Event:
    """An event as it will be, as far as the run's fold asks."""
    return Event(
        seq=seq,
        digest=plan.digest,
        prev="",
        run=plan.run,
        time=iso(desk.now()),
        actor=desk.writer.actor,
        subject=(),
        body=body,
    )
