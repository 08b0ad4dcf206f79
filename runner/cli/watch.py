"""`runbook watch`: see a run from any clone, on the machine where it runs or on any other."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runner.cli.supervise import Standing
    from runner.execution.progress import Progress
    from runner.supervisor.spectator import View

LOOK = 0.2
"""Seconds between two looks at what lies on this machine; the remote is asked less often."""


@click.command("watch")
@click.argument("run", default="")
@click.option("--log/--no-log", default=True, help="Show what the cells say, too.")
@click.option("--json", "as_json", is_flag=True, help="Print each change as one line of JSON.")
@click.pass_obj
def command(folder: Path, *, run: str, log: bool, as_json: bool) -> int:
    """Watch RUN (its id, or enough of its beginning; the only one under way if left out) until it ends.

    It waits for a run that waits. On the machine where the run is, it is seen as it happens; from any other, with every
    sign of life of its owner. The exit code is 0 if the run succeeded, else 1. To stop watching stops nothing.

    \b
    Examples:
      runbook watch
      runbook watch 20261123T023028Z-disk-cleanup
      runbook watch --json | jq .state
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.output import emit
    from runner.cli.progress import watching
    from runner.cli.supervise import RUN_FAILED, open_folder, told
    from runner.ledger.bodies import Status
    from runner.supervisor.spectator import Spectator
    from runner.wiring import now

    spectator = Spectator(open_folder(folder), run, now=now)
    with watching(quiet=as_json, log=log) as watcher:
        shown = _Shown(as_json=as_json, say=watcher.say, progress=watcher.progress)
        while True:
            view = spectator.view()
            standing = shown.show(view)
            if _ended(view):
                break
            time.sleep(LOOK)
    if not as_json:
        emit(None, as_json=False, text=lambda: told([standing]))
    return 0 if view.known.run.outcome is Status.SUCCEEDED else RUN_FAILED


def _ended(view: View) -> bool:
    """Whether nothing more happens by itself."""
    from runner.plan.run import RunState

    return view.known.run.over or view.known.run.state in {RunState.FINISHED, RunState.INTERRUPTED}


class _Shown:
    """What was shown of a run: each change once, in words or as a line of JSON."""

    def __init__(self, *, as_json: bool, say: Callable[[str], None], progress: Callable[[str, Progress], None]) -> None:
        self._as_json, self._say, self._progress = as_json, say, progress
        self._last: Standing | None = None
        self._words = ""

    def show(self, view: View) -> Standing:
        """Show what is new."""
        from runner.cli.supervise import standing

        now = standing(view.known)
        changed, self._last = now != self._last, now
        if self._as_json:
            if changed or view.progress or view.words != self._words:
                click.echo(json.dumps(_line(view, now), ensure_ascii=False))
        elif changed and not _ended(view):
            waits = f"; waits for {'; '.join(now.waits_for)}" if now.waits_for else ""
            self._say(f"{now.run} is {now.state}{waits}")
        if view.words and view.words != self._words:
            self._say(view.words)
        self._words = view.words or self._words
        if view.progress:
            self._progress(now.run, view.progress)
        return now


def _line(view: View, standing: Standing) -> dict[str, object]:
    """One change, for scripts."""
    import msgspec

    progress = view.progress
    return {
        **msgspec.to_builtins(standing),
        "attempt": view.known.run.attempt,
        "seconds": progress.seconds if progress else None,
        "cells": msgspec.to_builtins(progress.cells) if progress else [],
        "said": msgspec.to_builtins(progress.said) if progress else [],
        "words": view.words,
    }
