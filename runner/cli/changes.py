"""`runbook changes`: what changed on a target, newest first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.output import emit, table
from runner.cli.record import OFFLINE, moment, opened

if TYPE_CHECKING:
    from runner.audit.rows import ChangeRow


@click.command("changes")
@click.option("--target", "-t", required=True, help="The target, as the plans name it: staging/orders-db.")
@click.option("--since", "-s", help="Only since then: 2026-11-23, or 7d for a week.")
@click.option("--limit", "-n", type=click.IntRange(min=1), help="At most so many.")
@OFFLINE
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
def command(folder: Path, *, target: str, since: str | None, limit: int | None, offline: bool, as_json: bool) -> None:
    """What changed on a target: each attempt whose change cells began, and each of which nobody knows yet.

    \b
    Examples:
      runbook changes --target prod/orders-db --since 2d
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.audit.query import changes
    from runner.wiring import now

    after = moment(since, now=now()) if since else None
    with opened(folder, offline=offline) as (_, index):
        rows = changes(index, target=target, since=after, limit=limit)
    emit(rows, as_json=as_json, text=lambda: _told(rows, target))


def _told(rows: tuple[ChangeRow, ...], target: str) -> object:
    columns = ("when", "what", "asked by", "approved by", "issue", "came to", "rollback", "run")
    return table(columns, [_line(row) for row in rows], title=f"changes on {target}")


def _line(row: ChangeRow) -> tuple[str, ...]:
    came = row.outcome or row.resolution or "unknown"
    people = ", ".join(row.approvers)
    return (row.started_at, row.title, row.requester, people, row.issue, came, row.rollback or "", row.run)
