"""`runbook worker SPOOL`: carry one work order out. Executors start it; people do not."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("worker", hidden=True)
@click.argument("spool", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--hidden", multiple=True, type=click.Path(), help="A folder of the runner's own: no cell sees it.")
@click.pass_obj
def command(folder: Path, *, spool: Path, hidden: tuple[str, ...]) -> int:
    """Carry out the signed order that lies in SPOOL, once, and seal what came of it.

    Secrets come from the stores that the settings of the clone (-C) name.

    \b
    Examples:
      runbook -C CLONE worker --hidden STATE SPOOL
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.execution.worker import Outside, carry_out
    from runner.supervisor.start_check import still_open
    from runner.wiring import now, secrets

    carry_out(spool, outside=Outside(secrets=secrets(folder), still_open=still_open, now=now, hidden=hidden))
    return 0
