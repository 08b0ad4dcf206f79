"""`runbook unhalt`: let things start again."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("unhalt")
@click.argument("reason", nargs=-1)
@click.option("--issue", default="", help="Say it in this issue instead of a new one.")
@click.option("--json", "as_json", is_flag=True, help="Print what is in force as JSON.")
@click.pass_obj
def command(folder: Path, *, reason: tuple[str, ...], issue: str, as_json: bool) -> int:
    """Let things start again: what is allowed and waits starts in its order.

    \b
    Examples:
      runbook unhalt the storage network is itself again
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.switch import switch

    return switch(folder, "unhalt", words=reason, issue=issue, as_json=as_json)
