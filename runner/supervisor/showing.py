"""What comments show of notebooks in the evidence: read there, checked against their digests, pictures put in place."""

from __future__ import annotations

from runner.digest import Digest, sha256
from runner.evidence import layout
from runner.plan.plan import Plan
from runner.publication import outputs
from runner.publication.outputs import CellOutput, Outputs
from runner.runbook.cells import Role
from runner.supervisor.desk import Desk

_RAN = frozenset({Role.CHANGE, Role.VERIFY})


def rehearsed(desk: Desk, plan: Plan, *, commit: str) -> Outputs:
    """What the cells of a rehearsal showed, in the notebook that the plan names by its digest: first what would change.

    `commit` is where the evidence has it; what is not that notebook is not shown.
    """
    path = layout.rehearsal_file(plan.run)
    data = _read(desk, path, digest=plan.rehearsal.notebook)
    cells = (*outputs.of(data, roles={Role.PLAN}), *outputs.of(data, roles={Role.READ}))
    return _told(desk, cells, commit=commit, path=path)


def ran(desk: Desk, plan: Plan, *, notebook: Digest, commit: str, attempt: int) -> Outputs:
    """The pictures that an attempt showed; what it printed is in its notebook."""
    path = layout.executed_file(plan.run, attempt)
    data = _read(desk, path, digest=notebook)
    cells = outputs.of(data, roles=_RAN)
    plots = tuple(CellOutput(name=one.name, text="", pictures=one.pictures) for one in cells if one.pictures)
    return _told(desk, plots, commit=commit, path=path)


def _read(desk: Desk, path: str, *, digest: Digest | None) -> bytes:
    data = desk.workspace.objects.read(desk.ledger.tip or "", path) or b""
    return data if sha256(data) == digest else b""


def _told(desk: Desk, cells: tuple[CellOutput, ...], *, commit: str, path: str) -> Outputs:
    shown, more = outputs.attached(cells, desk.forge.attach)
    where = desk.forge.link(commit=commit, path=path) if cells else ""
    file = path.rpartition("/")[2]
    return Outputs(cells=shown, file=file, where=where, folds=desk.forge.renders, left_out=more)
