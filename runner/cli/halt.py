"""`runbook halt`: stop everything from starting."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("halt")
@click.argument("reason", nargs=-1, required=True)
@click.option("--issue", default="", help="Say it in this issue instead of a new one.")
@click.option("--json", "as_json", is_flag=True, help="Print what is in force as JSON.")
@click.pass_obj
def command(folder: Path, *, reason: tuple[str, ...], issue: str, as_json: bool) -> int:
    """Stop everything from starting, for REASON, until somebody unhalts.

    Whatever runs goes on to its end: `runbook cancel` ends a run. Plans are still made, and can be approved.

    \b
    Examples:
      runbook halt the storage network is not itself
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.switch import switch

    return switch(folder, "halt", words=reason, issue=issue, as_json=as_json)
