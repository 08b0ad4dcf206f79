"""`runbook resolve`: say what came of an interrupted run."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("resolve")
@click.argument("run")
@click.argument("outcome", type=click.Choice(["did_not_run", "completed", "partially_applied", "reverted"]))
@click.argument("reason", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print where the run stands as JSON.")
@click.pass_obj
def command(folder: Path, *, run: str, outcome: str, reason: tuple[str, ...], as_json: bool) -> int:
    """Say what came of the interrupted RUN, and how you know. It frees the run's locks.

    \b
    Examples:
      runbook resolve RUN completed the new certificate is live
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.say import say

    return say(folder, "resolve", run, words=(outcome, *reason), as_json=as_json)
