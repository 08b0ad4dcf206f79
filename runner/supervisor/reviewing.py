"""Reviews of proposed changes: put up, found again, withdrawn. Whether one was merged as planned `fidelity` says."""

from __future__ import annotations

import json

from runner.ledger.event import from_iso
from runner.plan.plan import Plan, Proposal
from runner.plan.run import Run
from runner.ports.forge import IssueId
from runner.ports.review import Offer, Review, Sought
from runner.publication import owners
from runner.publication import review as words
from runner.repository import refs
from runner.repository.commits import Author, write
from runner.runbook import cells
from runner.runbook.cells import Role
from runner.supervisor import orders, proposed
from runner.supervisor.desk import Desk


def sought(made: Proposal, digest: str) -> Sought:
    """By what the review of a proposal is found; `digest` is its plan's."""
    return Sought(source=made.source, into=made.into, since=made.base, mark=f"Runbook-Plan: sha256:{digest}")


def found(desk: Desk, run: Run, plan: Plan, *, fresh: bool = False) -> Review | None:
    """The review of a plan's proposal, if it has been put up."""
    if plan.proposal is None:
        return None
    return desk.forge.reviews.find(sought(plan.proposal, run.digest), fresh=fresh)


def put_up(desk: Desk, run: Run, plan: Plan) -> Review:
    """Push the branch and open its review; what is there already is left as it is.

    Raises:
        OperatorError: if the runner may not.
        OutsideError: if the remote or the forge does not answer.
    """
    made = plan.proposal
    if made is None:
        raise TypeError(f"run {plan.run} proposes nothing")
    there = found(desk, run, plan, fresh=True)
    if there is not None:
        return there
    _push(desk, run, plan)
    offer = Offer(
        sought=sought(made, run.digest),
        title=words.title(plan),
        description=words.description(plan, digest=run.digest, acts=_acts(desk, plan)),
        issue=IssueId(run.plan.issue),
        reviewers=owners.reviewers(plan, read=desk.workspace.text, policy=desk.policy, bot=desk.workspace.settings.bot),
    )
    return desk.forge.reviews.offer(offer)


def withdraw(desk: Desk, run: Run, plan: Plan) -> None:
    """Close the review of a run that is over before it began, if it is open."""
    review = found(desk, run, plan, fresh=True)
    if review is not None and plan.proposal is not None:
        desk.forge.reviews.withdraw(review, sought(plan.proposal, run.digest))


def _push(desk: Desk, run: Run, plan: Plan) -> None:
    writer, objects, made = desk.writer, desk.workspace.objects, plan.proposal
    if made is None:
        return
    author = Author(name=writer.name, email=writer.email, when=from_iso(plan.made_at))
    commit = write(
        objects,
        proposed.stored(desk, plan),
        parent=made.base,
        message=words.message(plan, digest=run.digest),
        author=author,
        sign=lambda payload: writer.signer.sign_ssh(payload, namespace="git"),
    )
    # Not pushed because something is there: the review will show whether that is the proposal.
    refs.publish(objects.repository, commit, made.source, expected=None)


def _acts(desk: Desk, plan: Plan) -> bool:
    """Whether cells change something after the merge."""
    notebook = cells.read(json.loads(orders.pinned(desk, plan)))
    return any(one.role in {Role.CHANGE, Role.ROLLBACK} for one in notebook)
