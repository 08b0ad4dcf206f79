"""`runbook log`: runs, newest first, from the record alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.output import emit, table
from runner.cli.record import OFFLINE, moment, opened

if TYPE_CHECKING:
    from runner.audit.rows import RunRow


@click.command("log")
@click.option("--target", "-t", help="Only runs on this target.")
@click.option("--runbook", "-r", help="Only runs of this runbook.")
@click.option("--person", "-p", help="Only runs that this person asked for or approved.")
@click.option("--issue", "-i", help="Only runs of this issue.")
@click.option("--outcome", "-o", help="Only runs that ended like this: succeeded, failed, timed_out, cancelled.")
@click.option("--since", help="Only runs planned since then: 2026-11-23, or 7d for a week.")
@click.option("--until", help="Only runs planned before then.")
@click.option(
    "--limit", "-n", type=click.IntRange(min=0), default=50, show_default=True, help="At most so many; 0: all."
)
@OFFLINE
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
def command(
    folder: Path,
    *,
    target: str | None,
    runbook: str | None,
    person: str | None,
    issue: str | None,
    outcome: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    offline: bool,
    as_json: bool,
) -> None:
    """Runs, newest first: what ran on what, who asked, who approved, what came of it.

    \b
    Examples:
      runbook log --since 7d
      runbook log --target prod/orders-db --outcome failed --json
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.audit.debts import with_debts
    from runner.audit.query import log
    from runner.audit.rows import Filter
    from runner.wiring import now

    wanted = Filter(
        target=target,
        runbook=runbook,
        person=person,
        issue=issue,
        outcome=outcome,
        since=moment(since, now=now()) if since else None,
        until=moment(until, now=now()) if until else None,
        limit=limit or None,
    )
    with opened(folder, offline=offline) as (workspace, index):
        branch = workspace.settings.branch
        rows = with_debts(log(index, wanted), index=index, objects=workspace.objects, branch=branch, now=now())
    emit(rows, as_json=as_json, text=lambda: _told(rows))


def _told(rows: tuple[RunRow, ...]) -> object:
    columns = ("run", "on", "asked by", "approved by", "issue", "came to", "seconds", "message")
    return table(columns, [_line(row) for row in rows], title="runs")


def _line(row: RunRow) -> tuple[str, ...]:
    seconds = "" if row.seconds is None else f"{row.seconds:.1f}"
    people = ", ".join(row.approvers)
    message = row.message.splitlines()[0][:80] if row.message else ""
    if row.emergency:
        message = "; ".join(["EMERGENCY", *([f"owes {row.owes}"] if row.owes else []), *([message] if message else [])])
    if row.break_glass:
        message = "; ".join(["BREAK-GLASS", *([message] if message else [])])
    return (
        row.run,
        ", ".join(row.targets),
        row.requester,
        people,
        row.issue,
        row.outcome or row.state,
        seconds,
        message,
    )
