"""`runbook demo`: the whole story on a scratch repository, with a real procedure on a real thing."""

from __future__ import annotations

import getpass
import json
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.demo_words import Voice

if TYPE_CHECKING:
    from runner.cli.demo_stage import Stage
    from runner.cli.demo_story import Told


@click.command("demo")
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="Leave everything in this empty or new folder.")
@click.option("--keep/--remove", default=True, help="Whether the folder stays when the demo is over (it does).")
@click.option("--json", "as_json", is_flag=True, help="Tell the story on standard error, and print what came of it.")
def command(*, folder: Path | None, keep: bool, as_json: bool) -> int:
    """See it all work: a server's certificate is rotated, from the issue to the evidence.

    Needs nothing but Git: it makes a scratch repository with two people in it, and starts its own HTTPS server on this
    machine. Your own Git configuration, keys and files are left alone.

    \b
    Examples:
      runbook demo
      runbook demo --dir /tmp/demo --json | tail -n 1
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.demo_stage import stage_in, surroundings
    from runner.cli.demo_story import tell

    stage = stage_in(folder or Path(tempfile.mkdtemp(prefix="runbook-demo-")))
    voice = Voice(err=as_json)
    _open(stage, voice)
    try:
        with surroundings(stage):
            told = tell(stage, voice)
    except BaseException:
        voice.plain(f"\nWhat there is of the demo is in {stage.folder}")
        raise
    if not keep:
        shutil.rmtree(stage.folder)
        voice.plain(f"\nDone; {stage.folder} is removed.")
    else:
        _look_around(stage, told, voice)
    if as_json:
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(told), ensure_ascii=False))
    return 0


def _open(stage: Stage, voice: Voice) -> None:
    voice.plain("A certificate is about to expire. Alice asks for a new one, Bob approves, the runner does it.")
    voice.plain("")
    voice.plain(f"Everything is in {stage.folder}")
    voice.plain(f"One operating-system user ({_user()}) plays both people here, and the runner as well: its key and")
    voice.plain("its state (RUNBOOK_STATE) lie in that folder too. In earnest each has an account of their own.")


def _look_around(stage: Stage, told: Told, voice: Voice) -> None:
    runbook = _runbook()
    altered = stage.folder / "altered"
    file = altered / Path(told.notebook).relative_to(stage.bob)
    voice.plain("\nLook around:")
    voice.block(
        f"export RUNBOOK_STATE={shlex.quote(told.state)}",
        f"cd {shlex.quote(str(stage.bob))}",
        f"{runbook} log",
        f"{runbook} show {told.run}",
        f"{runbook} issue show {told.issue}",
        f"{runbook} verify --genesis {told.genesis} --witness ../witness.txt",
        "git log origin/evidence",
    )
    voice.plain("\nThe executed notebook, ready for Jupyter:")
    voice.block(told.notebook)
    voice.plain("\nChange one byte of a copy, and see it caught:")
    voice.block(
        f"git clone -q -b evidence {shlex.quote(told.repository)} {shlex.quote(str(altered))}",
        f"printf X | dd of={shlex.quote(str(file))} bs=1 seek=200 conv=notrunc 2>/dev/null",
        f"{runbook} verify {shlex.quote(str(altered / 'outputs'))}",
    )
    voice.plain("\nWhen you have seen enough:")
    voice.block(f"rm -rf {shlex.quote(str(stage.folder))}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "you"


def _runbook() -> str:
    """How this command is called in the person's shell."""
    if shutil.which("runbook"):
        return "runbook"
    beside = Path(sys.executable).with_name("runbook")
    return shlex.quote(str(beside)) if beside.is_file() else f"{shlex.quote(sys.executable)} -m runner.cli.main"
