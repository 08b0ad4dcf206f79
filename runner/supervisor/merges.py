"""What was said in reviews: whose yes goes on record once a change is merged, who closed one, what people are told."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator

from runner.approval.decide import Verdict
from runner.approval.merging import Stage, place
from runner.approval.rights import Actor, may
from runner.ledger.bodies import Approve, Cancel, Reject, Said
from runner.ledger.merged import Merged
from runner.plan.plan import Plan
from runner.plan.run import Run, RunState
from runner.ports.forge import PersonId
from runner.ports.review import Merge, Review
from runner.publication import comments, markers
from runner.request.command import Verb
from runner.snapshot import Heard, Known, Unheard
from runner.supervisor import reviewing
from runner.supervisor.desk import Desk
from runner.supervisor.judging import proposed


def on(desk: Desk, runs: Iterable[Known]) -> tuple[list[Heard], list[Unheard]]:
    """What was said in the reviews of some runs: for the record, and why a change does not let its run start."""
    heard: list[Heard] = []
    unheard: list[Unheard] = []
    for known in runs:
        if known.review is None or known.run.state is not RunState.PLANNED:
            continue
        standing = proposed(desk, known.run, known.plan, thread=known.thread)
        said = [] if standing.wrong else list(_heard(desk, known, known.review))
        heard += said
        unheard += [] if said else _told(known, known.review, stage=standing.stage)
    return heard, unheard


def merged(desk: Desk, run: Run, plan: Plan) -> Merged | None:
    """What a start says of the merge, as it was last read; None for a plan that proposes nothing."""
    review = reviewing.found(desk, run, plan)
    if review is None or review.merge is None:
        return None
    merge, others = review.merge, sorted(set(review.approved_by))
    return Merged(review=review.id, url=review.url, commit=merge.commit, by=merge.by, approved_by=tuple(others))


def _heard(desk: Desk, known: Known, review: Review) -> Iterator[Heard]:
    if review.merge:
        yield from _yeses(desk, known, review, merge=review.merge)
    elif review.closed_by:
        yield from _no(desk, known, review, by=review.closed_by)


def _told(known: Known, review: Review, *, stage: Stage) -> list[Unheard]:
    """Say on the issue, once for each stage, why a change that is merged, closed or altered leads to no start."""
    key = f"review/{known.run.id}/{stage.value}"
    decision = known.decision
    denied = decision is not None and decision.verdict is Verdict.DENIED
    if decision is None or not denied or key in markers.answered(known.thread):
        return []
    by = (review.merge.by if review.merge else review.closed_by) or "somebody"
    hint = "ask again in a new comment for a new plan; what was merged stays merged"
    body = comments.refusal(key=key, verb=f"the change in {review.id}", by=by, reasons=decision.reasons, hint=hint)
    return [Unheard(thread=known.thread, key=key, body=body)]


def _yeses(desk: Desk, known: Known, review: Review, *, merge: Merge) -> Iterator[Heard]:
    """One approval for each person who said yes and whose yes can count; who else did is named in the start."""
    people = tuple(dict.fromkeys(one for one in (*review.approved_by, merge.by) if one))
    accounts = review.accounts
    members = desk.members(people, accounts=tuple((one, accounts.get(one, "")) for one in people))
    for person in people:
        comment = place(review.id, person)
        merged = person == merge.by
        verified = merge.verified if merged else True
        account = accounts.get(person, "")
        actor = Actor(person=person, verified=verified, member=person in members, account=account)
        allowed = may(desk.policy, Verb.APPROVE, actor=actor, plan=known.plan).allowed
        if comment in known.run.comments or not allowed:
            continue
        proof = merge.proof if merged else None
        said = Said(
            by=person,
            comment=comment,
            verified=verified,
            account=account,
            payload=b64encode(proof.payload).decode() if proof else None,
            signature=b64encode(proof.signature.encode()).decode() if proof else None,
        )
        reason = f"merged {review.id} as {merge.commit[:12]}" if merged else f"approved {review.id}"
        body = Approve(plan_digest=known.run.digest, said=said, reason=reason)
        yield Heard(run=known.run, plan=known.plan, body=body)


def _no(desk: Desk, known: Known, review: Review, *, by: PersonId) -> Iterator[Heard]:
    """That a review was closed unmerged, by somebody who may reject or cancel the run; others end nothing by that."""
    comment = place(review.id, by)
    if comment in known.run.comments:
        return
    account = review.accounts.get(by, "")
    actor = Actor(person=by, verified=True, member=by in desk.members((by,)), account=account)
    said = Said(by=by, comment=comment, verified=True, account=account)
    reason = f"closed {review.id} without merging it"
    digest = known.run.digest
    if may(desk.policy, Verb.REJECT, actor=actor, plan=known.plan).allowed:
        yield Heard(run=known.run, plan=known.plan, body=Reject(plan_digest=digest, said=said, reason=reason))
    elif may(desk.policy, Verb.CANCEL, actor=actor, plan=known.plan).allowed:
        body = Cancel(plan_digest=digest, mode="leave", said=said, reason=reason)
        yield Heard(run=known.run, plan=known.plan, body=body)
