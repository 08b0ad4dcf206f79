"""`runbook approve`: say yes to exactly one plan."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("approve")
@click.argument("digest")
@click.argument("reason", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print where the run stands as JSON.")
@click.pass_obj
def command(folder: Path, *, digest: str, reason: tuple[str, ...], as_json: bool) -> int:
    """Say yes to the plan with DIGEST (12 digits are enough), in a comment signed with your key.

    \b
    Examples:
      runbook approve 3f9a0c11d2e4 checked with the on-call
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.say import say

    return say(folder, "approve", digest, words=reason, as_json=as_json)
