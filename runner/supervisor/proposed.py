"""What a plan proposes: made of what the rehearsal left, or in a revert of what was merged; and its bytes on record."""

from __future__ import annotations

from collections.abc import Mapping

from runner.digest import sha256
from runner.errors import IntegrityError
from runner.evidence import layout
from runner.execution.proposing import PROPOSAL
from runner.ledger.bodies import Rehearsal
from runner.plan import proposal as proposals
from runner.plan.plan import Plan, Rehearsed
from runner.plan.proposal import Change
from runner.plan.run import fold
from runner.supervisor import tree
from runner.supervisor.desk import Desk


def change(desk: Desk, plan: Plan, left: Mapping[str, bytes], *, rehearsed: Rehearsed) -> Change | None:
    """The change that a plan proposes, with its bytes; None where its runbook proposes none, or the rehearsal failed.

    Raises:
        RequestError: if what was proposed may not be, changes nothing, or cannot be undone any more.
    """
    if not plan.proposes or rehearsed.result is Rehearsal.FAILED:
        return None
    if plan.revert_of:
        return _reverse(desk, plan)
    now = tree.at(desk.workspace.objects, plan.runbook.commit)
    into = desk.workspace.settings.branch
    wanted = proposals.read(left.get(PROPOSAL, b"{}"))
    return proposals.proposal(plan.run, wanted, globs=plan.proposes, base=plan.runbook.commit, into=into, now=now)


def stored(desk: Desk, plan: Plan) -> Mapping[str, bytes | None]:
    """The bytes that a plan proposes, from the record.

    Raises:
        IntegrityError: if they are not those that the plan names.
    """
    data = desk.workspace.objects.read(desk.ledger.tip or "", layout.proposal_file(plan.run)) or b"{}"
    found = proposals.read(data)
    named = {one.path: one.after for one in plan.proposal.files} if plan.proposal else {}
    if named != {path: None if data is None else sha256(data) for path, data in found.items()}:
        raise IntegrityError(f"reading what {plan.run} proposes", "it is not what its plan names")
    return found


def _reverse(desk: Desk, plan: Plan) -> Change | None:
    """What takes the merged change of an earlier run back."""
    old = desk.plan(fold(desk.ledger.cache.events(plan.revert_of or "")))
    if old.proposal is None:
        return None
    objects, base = desk.workspace.objects, desk.workspace.main
    before = {one.path: objects.read(old.proposal.base, one.path) for one in old.proposal.files}
    return proposals.undoing(plan.run, old.proposal, before=before, base=base, now=tree.at(objects, base))
