"""`runbook resume`: go on with a run that did not succeed."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("resume")
@click.argument("run")
@click.argument("reason", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print where the run stands as JSON.")
@click.pass_obj
def command(folder: Path, *, run: str, reason: tuple[str, ...], as_json: bool) -> int:
    """Go on with RUN (its id, or the end of it) once what made it fail is gone: the next attempt of the same plan.

    Changes that were answered ok are not repeated; what they recorded is there again. Policy says whether the earlier
    approvals count once more.

    \b
    Examples:
      runbook resume 7k3q2x2m the disk has room again
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.say import say

    return say(folder, "resume", run, words=reason, as_json=as_json)
