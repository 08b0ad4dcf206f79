"""Who looks after a request: the owner of its runbook, once for each issue; what people say then is not undone."""

from __future__ import annotations

from runner.approval import owner
from runner.errors import RequestError
from runner.ports.forge import IssueId
from runner.runbook import catalog
from runner.snapshot import Known
from runner.supervisor.desk import Desk


def assign(desk: Desk, known: Known) -> None:
    """Assign the owner of the runbook; of several people, whoever has the fewest open issues and is a member."""
    people = owner.people(_owner(desk, known), desk.policy, ask=desk.forge.people)
    if not people:
        return
    for person in owner.in_turn(people, desk.forge.load(people)):
        try:
            desk.forge.assign(IssueId(known.run.plan.issue), person)
        except RequestError:
            continue  # who has left the project is passed over
        return


def _owner(desk: Desk, known: Known) -> str:
    """As the header says it, at the commit that runs."""
    runbook = known.plan.runbook
    try:
        return catalog.find(desk.workspace.objects, runbook.name, commit=runbook.commit).header.owner
    except RequestError:
        return ""
