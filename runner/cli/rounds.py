"""One round after another, whatever comes of each: what `reconcile` and `serve` do for ever.

A round that could not be carried through is said and tried again: the remote may answer again, and broken settings on
the protected branch may be repaired.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.errors import RunbookError
    from runner.ports.executor import Executor
    from runner.snapshot import Snapshot
    from runner.supervisor.bell import Bell
    from runner.supervisor.watcher import Watcher
    from runner.wiring import Workspace


@dataclass(slots=True, kw_only=True)
class Rounds:
    """The loop's memory from round to round.

    Attributes:
        folder: in the clone.
        workspace: the clone as it was last looked at.
        executor: kept from round to round, with its spares.
        bell: by which commands of this machine wake the loop; None where another one has it.
        watching: who is told what happens in a round.
        trouble: is told why a round could not be carried through.
        wait: whether workers of this machine are waited for.
    """

    folder: Path
    workspace: Workspace
    executor: Executor
    bell: Bell | None
    watching: Callable[[], AbstractContextManager[Watcher]]
    trouble: Callable[[RunbookError], None]
    wait: bool = True
    _lost: bool = False

    def bot(self) -> str:
        """Our own user name, as the newest settings that were read have it."""
        return self.workspace.settings.bot

    def round(self) -> Snapshot | None:
        """Do everything that can be done now, and let go whoever waited for it; None if that was not possible."""
        from runner.cli.supervise import open_folder
        from runner.errors import RunbookError

        self.executor.prepare()
        try:
            if self._lost:
                # Opened anew: what the loop knew of the clone may be what the trouble came from.
                self.workspace = open_folder(self.folder)
            snapshot = self._reconciled()
        except RunbookError as error:
            self._lost = True
            self.trouble(error)
            return None
        self._lost = False
        return snapshot

    def _reconciled(self) -> Snapshot:
        from runner.cli.rings import answering, let_all_go
        from runner.evidence.view import refresh
        from runner.supervisor.supervisor import Supervisor
        from runner.wiring import now

        bell = self.bell
        waiting = bell.callers() if bell else ()
        with self.watching() as shown:
            watcher = answering(bell, shown, workspace=lambda: supervisor.workspace) if bell else shown
            supervisor = Supervisor(self.workspace, now=now, watcher=watcher, executor=self.executor)
            snapshot = supervisor.reconcile(wait=self.wait)
            for error in supervisor.put_off:
                watcher.say(f"put off: {error}")
        self.workspace = supervisor.workspace
        refresh(self.workspace.objects, branch=self.workspace.settings.evidence_branch)
        if bell:
            let_all_go(bell, waiting, snapshot, workspace=self.workspace)
        return snapshot
