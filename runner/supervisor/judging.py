"""Judging a plan at a desk: the newest policy's word, with the issue and the members as they are now."""

from __future__ import annotations

from dataclasses import replace

from runner.approval.approval import approvals, resumption, still_said
from runner.approval.decide import Decision, Verdict, decide, people_of
from runner.approval.merging import ABSENT, Stage, Standing, in_review, still_merged
from runner.approval.owed import Owed, owed
from runner.approval.periods import Kept
from runner.ledger.bodies import Start
from runner.plan.plan import Plan
from runner.plan.run import Run
from runner.ports.forge import PersonId, Thread
from runner.publication import markers
from runner.publication.markers import Kind
from runner.supervisor import fidelity, freezing, reviewing
from runner.supervisor.desk import Desk

CLOSED = "its issue is closed; it goes on when somebody opens it again"
"""Why a plan waits that may start otherwise."""


def debt(desk: Desk, run: Run, plan: Plan) -> Owed | None:
    """What an emergency that has started still owes, by the policy of its start; None if nothing."""
    body = run.start.body if run.start else None
    if not plan.emergency or not isinstance(body, Start):
        return None
    given = approvals((event.seq, event.time, event.body) for event in desk.ledger.cache.events(run.id))
    return owed(desk.policy_at(body.policy_commit), plan=plan, digest=run.digest, approvals=given)


def proposed(desk: Desk, run: Run, plan: Plan, *, thread: Thread, fresh: bool = False) -> Standing:
    """Where the change stands that a plan proposes; what people were told of and is not there any more is closed."""
    if plan.proposal is None:
        return ABSENT
    review = reviewing.found(desk, run, plan, fresh=fresh)
    if review is None and markers.find(thread, markers.of(run.id, Kind.PLAN, 1)):
        return Standing(stage=Stage.CLOSED, where=plan.proposal.source)
    return fidelity.standing(desk, plan, review)


def judged(
    desk: Desk, run: Run, plan: Plan, *, thread: Thread, fresh: bool = False, periods: Kept | None = None
) -> Decision:
    """The newest policy's verdict on a plan, with the issue and the members as they are now.

    While its issue is closed a plan waits: whoever closed it thought that nothing was to happen any more. One that
    proposes a change does not: merging it may close the issue, and is the yes.

    Args:
        desk: at hand.
        run: what is on record.
        plan: its plan.
        thread: its issue.
        fresh: ask who is a member, and for the review, once more: something is about to take effect.
        periods: the forge's freeze periods, if they were just read.
    """
    events = [(event.seq, event.time, event.body) for event in desk.ledger.cache.events(run.id)]
    stands = proposed(desk, run, plan, thread=thread, fresh=fresh)
    given = still_said(approvals(events), thread, elsewhere=in_review)
    given, resumed = still_merged(given, reviewing.found(desk, run, plan)), resumption(events)
    asked = (PersonId(plan.requested.by), plan.requested.account)
    accounts = {asked, *((one.by, one.account) for one in given if not one.fault)}
    members = desk.members(people_of(plan, given, resumption=resumed), accounts=accounts, lately=not fresh)
    decision = decide(
        desk.policy,
        plan=plan,
        digest=run.digest,
        approvals=given,
        members=members,
        now=desk.now(),
        resumption=resumed,
        proposed=stands,
        kept=periods or freezing.kept(desk, plan, fresh=fresh),
    )
    if thread.issue.open or plan.proposal is not None or decision.verdict is Verdict.DENIED:
        return decision
    reasons = (*decision.reasons, CLOSED) if decision.verdict is Verdict.PENDING else (CLOSED,)
    return replace(decision, verdict=Verdict.PENDING, reasons=reasons)
