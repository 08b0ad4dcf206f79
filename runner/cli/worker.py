"""`runbook worker SPOOL`: carry one work order out. Executors start it; people do not."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runner.execution.worker import Outside


@click.command("worker", hidden=True)
@click.argument("spool", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--hidden", multiple=True, type=click.Path(), help="A folder of the runner's own: no cell sees it.")
@click.option("--kind", default="", help="Be a spare for orders of this kind, with SPOOL for a folder of its own.")
@click.option("--fetched", is_flag=True, help="The clone's ledger is fresh; the remote is not asked.")
@click.option("--work", default="", help="In a job of GitLab CI: take the order that was sent under this name.")
@click.option("--result", type=click.Path(path_type=Path, dir_okay=False), help="Write what came of it to this file.")
@click.pass_obj
def command(
    folder: Path,
    *,
    spool: Path | None,
    hidden: tuple[str, ...],
    kind: str,
    fetched: bool,
    work: str,
    result: Path | None,
) -> int:
    """Carry out the signed order that lies in SPOOL, once, and seal what came of it.

    Secrets come from the stores that the settings of the clone (-C) name. A job of GitLab CI says --work instead: only
    the job that the supervisor named is let in, so a pipeline that somebody starts by hand executes nothing.

    \b
    Examples:
      runbook -C CLONE worker --hidden STATE SPOOL
      runbook worker --work NAME --result runbook-result.json
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    if (spool is None) == (result is None):
        raise click.UsageError("give SPOOL, or --work and --result")
    if result is not None:
        return _job(folder, work, result=result)
    assert spool is not None  # noqa: S101 - said above
    from runner.execution.worker import Outside, carry_out
    from runner.supervisor.start_check import still_open
    from runner.wiring import now, secrets

    opened = partial(still_open, clone=folder) if fetched else still_open
    outside = Outside(secrets=secrets(folder), still_open=opened, now=now, hidden=hidden, at_home=not fetched)
    if kind:
        _wait(spool, kind, outside=outside)
    else:
        carry_out(spool, outside=outside)
    return 0


def _job(folder: Path, work: str, *, result: Path) -> int:
    """Take an order as a job of a pipeline."""
    from runner.cli.output import harmless
    from runner.supervisor import job

    return job.carry_out(folder, name=work, result=result, say=lambda line: click.echo(harmless(line)))


def _wait(folder: Path, kind: str, *, outside: Outside) -> None:
    """Make everything ready, wait for one order and carry it out; or end with whoever started us."""
    import shutil
    from dataclasses import replace

    from runner.digest import parse
    from runner.execution import spare
    from runner.execution.kind import Kind
    from runner.execution.worker import carry_out

    try:
        made = spare.prepare(folder, parse(Kind, kind.encode()), hidden=outside.hidden, built=outside.environments)
        try:
            # Byte by byte: the secrets stay in the pipe until they are asked for.
            with open(0, "rb", buffering=0, closefd=False) as line:
                spool = spare.wait(line)
                if spool is not None:
                    _log_to(spool)
                    secrets = spare.LateSecrets(line, outside.secrets)
                    carry_out(spool, outside=replace(outside, secrets=secrets), spare=made)
        finally:
            made.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _log_to(spool: Path) -> None:
    """From now on what this process prints belongs to that work."""
    import os

    log = os.open(spool / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
