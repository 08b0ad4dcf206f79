"""`runbook serve`: the loop, and a webhook that wakes it, in one process."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections import Counter
from contextlib import closing, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runner.cli.rounds import Rounds
    from runner.errors import RunbookError
    from runner.execution.progress import Progress
    from runner.server.health import Health
    from runner.server.inbox import Inbox

LOG = logging.getLogger("runbook")
AGAIN = 2.0
"""Seconds until the next round where deliveries wait that none has come after yet."""


@click.command("serve")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where to listen; a proxy with TLS goes before it."
)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 for any free one.")
@click.option(
    "--every", type=click.IntRange(1, 3600), default=60, show_default=True, help="Seconds between two rounds."
)
@click.option("--spares", type=click.IntRange(0, 64), default=2, show_default=True, help="Workers to keep ready.")
@click.pass_obj
def command(folder: Path, *, host: str, port: int, every: int, spares: int) -> int:
    """Do everything that can be done, for ever, and at once when the forge says that something happened.

    POST /webhook takes signed deliveries and only wakes the loop: what it says is read again from the forge, so lost,
    doubled, late and reordered deliveries end in the same state. GET /healthz, /readyz and /metrics say how it is.
    The webhook's signing token is in the file webhook-signing of the state folder. SIGTERM lets what is under way end.

    \b
    Examples:
      runbook serve --port 8080
      curl http://127.0.0.1:8080/readyz
    """  # noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
    from runner.cli.rings import hung
    from runner.cli.rounds import Rounds
    from runner.cli.supervise import open_folder
    from runner.errors import OperatorError
    from runner.server import keys
    from runner.server.app import App, listening
    from runner.server.health import Health
    from runner.server.inbox import Inbox
    from runner.supervisor.watcher import Watcher

    _log_lines()
    # As Ctrl-C: inside a round the supervisor hears it first, and brings to an end what is under way.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    workspace = open_folder(folder)
    vouching = keys.read(workspace.state)
    with hung(workspace) as bell, closing(Inbox(workspace.state / "inbox.sqlite")) as inbox:
        if bell is None:
            hint = "stop the other one; one supervisor works on a machine at a time"
            raise OperatorError("serving", "another supervisor is at work on this machine", hint=hint)
        health = Health(every=every, waiting=inbox.waiting)
        rounds = Rounds(
            folder=folder,
            workspace=workspace,
            executor=workspace.executor(spares=spares),
            bell=bell,
            watching=lambda: nullcontext(Watcher(say=_say, progress=_unseen, listen=float(every))),
            trouble=lambda error: _trouble(error, health),
        )
        app = App(keys=vouching, inbox=inbox, health=health, wake=bell.rung.set, bot=rounds.bot)
        with closing(rounds.executor), listening(app, host=host, port=port) as bound, suppress(KeyboardInterrupt):
            LOG.info("listening on %s:%d", host, bound)
            while True:
                _round(rounds, inbox, health)
                # What came while a round was on its way may not have been seen by it.
                bell.rung.wait(min(AGAIN, every) if inbox.waiting() else every)
        LOG.info("told to end, and what was under way has ended")
    return 0


def _round(rounds: Rounds, inbox: Inbox, health: Health) -> None:
    """Do everything that can be done now; deliveries that came before are dealt with if it could be carried through."""
    began, mark = time.monotonic(), inbox.mark()
    snapshot = rounds.round()
    if snapshot is None:
        return
    inbox.dealt_with(mark)
    states = Counter(known.run.state.value for known in snapshot.runs if not known.run.over)
    health.succeeded(seconds=time.monotonic() - began, runs=states)


def _trouble(error: RunbookError, health: Health) -> None:
    LOG.warning("%s", error)
    health.failed(str(error))


def _say(text: str) -> None:
    LOG.info("%s", text)


def _unseen(_run: str, _so_far: Progress) -> None:
    """Progress is for the issue, and for whoever watches."""


def _log_lines() -> None:
    from runner.server.app import JsonLines

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    LOG.handlers[:] = [handler]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
