"""`runbook revoke`: take your own yes back."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("revoke")
@click.argument("digest")
@click.argument("reason", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print where the run stands as JSON.")
@click.pass_obj
def command(folder: Path, *, digest: str, reason: tuple[str, ...], as_json: bool) -> int:
    """Take your own approval of the plan with DIGEST back; it works until the run starts.

    \b
    Examples:
      runbook revoke 3f9a0c11d2e4 wrong window
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.say import say

    return say(folder, "revoke", digest, words=reason, as_json=as_json)
