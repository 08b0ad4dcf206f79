"""`runbook serve`: the loop, and a webhook that wakes it, in one process."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runner.execution.progress import Progress
    from runner.ports.executor import Executor
    from runner.server.health import Health
    from runner.snapshot import Snapshot
    from runner.supervisor.bell import Bell
    from runner.wiring import Workspace

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
    from runner.cli.supervise import open_folder
    from runner.errors import OperatorError
    from runner.server import keys
    from runner.server.app import App, listening
    from runner.server.health import Health
    from runner.server.inbox import Inbox

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
        app = App(keys=vouching, inbox=inbox, health=health, wake=bell.rung.set)
        with (
            closing(workspace.executor(spares=spares)) as executor,
            listening(app, host=host, port=port) as bound,
            suppress(KeyboardInterrupt),
        ):
            LOG.info("listening on %s:%d", host, bound)
            loop = _Loop(folder, workspace, executor=executor, bell=bell, health=health)
            while True:
                mark = inbox.mark()
                if loop.round():
                    inbox.dealt_with(mark)
                # What came while a round was on its way may not have been seen by it.
                bell.rung.wait(min(AGAIN, every) if inbox.waiting() else every)
        LOG.info("told to end, and what was under way has ended")
    return 0


class _Loop:
    """One round after another, whatever comes of each."""

    def __init__(self, folder: Path, workspace: Workspace, *, executor: Executor, bell: Bell, health: Health) -> None:
        self._folder, self._workspace = folder, workspace
        self._executor, self._bell, self._health = executor, bell, health

    def round(self) -> bool:
        """Do everything that can be done now; False if it could not be carried through."""
        from runner.cli.supervise import open_folder
        from runner.errors import RunbookError

        began = time.monotonic()
        self._executor.prepare()
        try:
            snapshot = self._reconciled()
        except RunbookError as error:
            LOG.warning("%s", error)
            self._health.failed(str(error))
            self._workspace = open_folder(self._folder)
            return False
        states = Counter(known.run.state.value for known in snapshot.runs if not known.run.over)
        self._health.succeeded(seconds=time.monotonic() - began, runs=states)
        return True

    def _reconciled(self) -> Snapshot:
        from runner.cli.rings import answering, let_all_go
        from runner.supervisor.supervisor import Supervisor
        from runner.supervisor.watcher import Watcher
        from runner.wiring import now

        waiting = self._bell.callers()
        quiet = Watcher(say=lambda text: LOG.info("%s", text), progress=_unseen)
        watcher = answering(self._bell, quiet, workspace=lambda: supervisor.workspace)
        supervisor = Supervisor(self._workspace, now=now, watcher=watcher, executor=self._executor)
        snapshot = supervisor.reconcile()
        self._workspace = supervisor.workspace
        for error in supervisor.put_off:
            LOG.warning("put off: %s", error)
        let_all_go(self._bell, waiting, snapshot, workspace=self._workspace)
        return snapshot


def _unseen(_run: str, _so_far: Progress) -> None:
    """Progress is for the issue, and for whoever watches."""


def _log_lines() -> None:
    from runner.server.app import JsonLines

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    LOG.handlers[:] = [handler]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
