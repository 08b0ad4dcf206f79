"""`runbook reject`: say no to a plan."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("reject")
@click.argument("digest")
@click.argument("reason", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print where the run stands as JSON.")
@click.pass_obj
def command(folder: Path, *, digest: str, reason: tuple[str, ...], as_json: bool) -> int:
    """Say no to the plan with DIGEST, with a REASON: it cannot run any more.

    \b
    Examples:
      runbook reject 3f9a0c11d2e4 not before the release
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.say import say

    return say(folder, "reject", digest, words=reason, as_json=as_json)
