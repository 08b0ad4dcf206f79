"""`runbook cancel`: end a run."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("cancel")
@click.argument("run")
@click.argument("reason", nargs=-1)
@click.option("--leave/--rollback", "leave", required=True, default=None, help="Leave what it has changed, or undo it.")
@click.option("--json", "as_json", is_flag=True, help="Print where the run stands as JSON.")
@click.pass_obj
def command(folder: Path, *, run: str, reason: tuple[str, ...], leave: bool | None, as_json: bool) -> int:
    """End RUN (its id, or its plan's digest): --leave keeps what it has changed, --rollback undoes it.

    \b
    Examples:
      runbook cancel 3f9a0c11d2e4 --rollback the alert fired
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.say import say

    if leave is None:
        raise click.UsageError("say which: --leave keeps what it has changed, --rollback undoes it")
    return say(folder, "cancel", run, words=("--leave" if leave else "--rollback", *reason), as_json=as_json)
