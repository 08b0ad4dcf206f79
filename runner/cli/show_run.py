"""`runbook show RUN`: everything about one run. `show.py` calls it for what looks like a run's id."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.output import console, emit, table
from runner.cli.record import opened

if TYPE_CHECKING:
    from runner.audit.query import Description
    from runner.execution.outcome import CellFate

_RUN = re.compile(r"[0-9]{8}T[0-9]{6}Z-\S+|[0-9]{8}T[0-9]{0,6}Z?")


def is_run(name: str) -> bool:
    """Whether a name is a run's id, or begins like one, and no runbook's."""
    return _RUN.fullmatch(name) is not None


def answer(folder: Path, name: str, *, as_json: bool) -> None:
    """Print one run.

    Raises:
        RequestError: if the name means no run, or several.
    """
    from runner.audit.query import describe

    with opened(folder, offline=False) as (workspace, index):
        found = describe(index, workspace.objects, name)
    emit(found, as_json=as_json, text=lambda: _told(found))


def _told(found: Description) -> None:
    screen = console()
    screen.print(table(["run", found.row.run], list(_facts(found))))
    values = [[name, str(one.value), one.source] for name, one in found.plan.parameters.items()]
    screen.print(table(["parameter", "value", "from"], values))
    events = [[str(event.number), event.time, event.type, event.by or "", event.commit[:12]] for event in found.events]
    screen.print(table(["event", "when", "what", "by", "commit"], events))
    for manifest in found.manifests:
        cells = [
            [
                cell.name,
                cell.role,
                _fate(cell),
                "" if cell.seconds is None else f"{cell.seconds:.2f}",
                cell.error or cell.why,
            ]
            for cell in manifest.result.cells
        ]
        screen.print(table([f"cell (attempt {manifest.attempt})", "role", "fate", "seconds", "why"], cells))
    # Not broken into lines: it is there to be copied.
    screen.print(f"its files:  git show {found.row.commit[:12]}:{found.folder}", markup=False, soft_wrap=True)


def _fate(cell: CellFate) -> str:
    return f"{cell.fate.value} ({cell.tries} tries)" if cell.tries > 1 else cell.fate.value


def _facts(found: Description) -> Iterator[tuple[str, str]]:
    row, plan = found.row, found.plan
    yield "what", f"{row.title} ({row.runbook}, risk {row.risk})"
    yield "on", ", ".join(row.targets)
    yield "came to", row.outcome or row.state
    if row.message:
        yield "message", row.message
    if row.rollback:
        yield "rollback", row.rollback.replace("_", " ")
    if row.emergency:
        yield "emergency", row.emergency
    if row.break_glass:
        yield "break-glass", row.break_glass
    yield "asked by", f"{row.requester}, issue {row.issue}"
    yield "approved by", ", ".join(row.approvers) or "nobody"
    yield "plan", row.plan_digest
    if plan.proposal:
        yield "proposes", ", ".join(one.path for one in plan.proposal.files)
    for merged in [one.merged for one in found.manifests if one.merged][-1:]:
        said = f", approved there by {', '.join(merged.approved_by)}" if merged.approved_by else ""
        yield "change merged", f"{merged.review} by {merged.by or 'nobody known'} as {merged.commit}{said}"
        yield "review", merged.url
    yield "runbook", f"{plan.runbook.path} at {plan.runbook.commit[:12]}"
    yield "planned, started, ended", ", ".join(time or "-" for time in (row.planned_at, row.started_at, row.ended_at))
