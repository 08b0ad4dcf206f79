"""`runbook reconcile`: do everything that can be done now."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.output import emit

if TYPE_CHECKING:
    from runner.cli.supervise import Standing


@click.command("reconcile")
@click.option("--once", is_flag=True, help="Do what can be done now, wait for this machine's workers, and end.")
@click.option("--no-wait", is_flag=True, help="Leave running workers alone; a later call seals what they leave.")
@click.option("--every", type=click.IntRange(1, 3600), default=5, show_default=True, help="Seconds between two rounds.")
@click.option("--log/--no-log", default=True, help="Show what the cells say, too.")
@click.option("--json", "as_json", is_flag=True, help="Print where every run stands as JSON.")
@click.pass_obj
def command(folder: Path, *, once: bool, no_wait: bool, every: int, log: bool, as_json: bool) -> int:
    """Do everything that can be done now: plans, approvals, starts, evidence, comments.

    What is on record decides; whoever was killed anywhere, this goes on from there. Without --once it goes on for ever,
    which is all that a server of plain Git is.

    \b
    Examples:
      runbook reconcile --once
      runbook reconcile --every 2
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.supervise import exit_code, open_folder, reconcile, standing
    from runner.errors import OutsideError
    from runner.supervisor.preparing import UnpreparedError

    while True:
        try:
            snapshot = reconcile(open_folder(folder), wait=not no_wait, quiet=as_json, log=log)
        except (OutsideError, UnpreparedError) as error:
            if once:
                raise
            click.echo(f"  {error}; trying again", err=True)
        else:
            if once:
                live = [standing(known) for known in snapshot.runs if not known.run.over]
                _show(live, as_json=as_json)
                return exit_code(known for known in snapshot.runs if not known.run.over)
        time.sleep(every)


def _show(live: list[Standing], *, as_json: bool) -> None:
    from runner.cli.supervise import told

    emit(live, as_json=as_json, text=lambda: told(live) or "nothing waits")
