"""`runbook reconcile`: do everything that can be done now."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import click

from runner.cli.output import emit

if TYPE_CHECKING:
    from runner.cli.supervise import Standing
    from runner.supervisor.watcher import Watcher

Watching: TypeAlias = "Callable[[], AbstractContextManager[Watcher]]"


@click.command("reconcile")
@click.option("--once", is_flag=True, help="Do what can be done now, wait for this machine's workers, and end.")
@click.option("--no-wait", is_flag=True, help="Leave running workers alone; a later call seals what they leave.")
@click.option("--every", type=click.IntRange(1, 3600), default=5, show_default=True, help="Seconds between two rounds.")
@click.option(
    "--spares",
    type=click.IntRange(0, 64),
    default=2,
    show_default=True,
    help="Workers to keep ready, without --once; each takes some 150 MB.",
)
@click.option("--log/--no-log", default=True, help="Show what the cells say, too.")
@click.option("--json", "as_json", is_flag=True, help="Print where every run stands as JSON.")
@click.pass_obj
def command(folder: Path, *, once: bool, no_wait: bool, every: int, spares: int, log: bool, as_json: bool) -> int:
    """Do everything that can be done now: plans, approvals, starts, evidence, comments.

    What is on record decides; whoever was killed anywhere, this goes on from there. Without --once it goes on for ever,
    which is all that a server of plain Git is.

    \b
    Examples:
      runbook reconcile --once
      runbook reconcile --every 2
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.progress import watching
    from runner.cli.supervise import exit_code, open_folder, reconcile, standing

    if not once:
        shown = partial(watching, quiet=as_json, log=log)
        _for_ever(folder, every=every, spares=spares, watching=shown, wait=not no_wait)
    snapshot = reconcile(open_folder(folder), wait=not no_wait, quiet=as_json, log=log)
    live = [standing(known) for known in snapshot.runs if not known.run.over]
    _show(live, as_json=as_json)
    return exit_code(known for known in snapshot.runs if not known.run.over)


def _for_ever(folder: Path, *, every: int, spares: int, watching: Watching, wait: bool) -> NoReturn:
    """Look again and again, and at once when a command of this machine asks for it."""
    from runner.cli.rings import hung
    from runner.cli.rounds import Rounds
    from runner.cli.supervise import open_folder

    workspace = open_folder(folder)
    with hung(workspace) as bell, closing(workspace.executor(spares=spares)) as executor:
        rounds = Rounds(
            folder=folder,
            workspace=workspace,
            executor=executor,
            bell=bell,
            watching=watching,
            trouble=lambda error: click.echo(f"  {error}; trying again", err=True),
            wait=wait,
        )
        while True:
            rounds.round()
            if bell:
                bell.rung.wait(every)
            else:
                time.sleep(every)


def _show(live: list[Standing], *, as_json: bool) -> None:
    from runner.cli.supervise import told

    emit(live, as_json=as_json, text=lambda: told(live) or "nothing waits")
