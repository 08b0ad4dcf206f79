"""Spare workers: started before there is work, each used for one piece of it and never again.

A spare has done what needs no order: Python and papermill are loaded, and a kernel of one kind waits in a room of the
spare's own. It waits on a pipe whose other end only this process holds, so it ends when its owner does, however that
came about. What it is handed through that pipe is where its order lies, and the secrets of the environment: until then
it has neither. Whether an order fits the kernel is decided by the worker, from the order that it has checked.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from runner.digest import parse
from runner.ports.claim import NAME as CLAIMED
from runner.ports.claim import Claim
from runner.ports.secrets import VARIABLE

READY = "ready"
"""The file in a spare's folder that says that its kernel answers."""


@dataclass(frozen=True, slots=True, eq=False)
class Spare:
    """One worker that waits, and the folder that is its own."""

    process: subprocess.Popen[bytes]
    folder: Path
    kind: str

    @property
    def ready(self) -> bool:
        """Whether all that can be done ahead is done."""
        return (self.folder / READY).exists()

    def hand(self, spool: Path, *, secrets: Mapping[str, str]) -> bool:
        """Tell it where its order lies; False if it is gone. It is nobody's spare any more."""
        lines = "".join(json.dumps(line) + "\n" for line in (str(spool), dict(secrets)))
        try:
            with self._pipe() as pipe:
                pipe.write(lines.encode())
        except OSError:
            return False
        return True

    def end(self) -> None:
        """Let it go: it finds the pipe closed, and ends with its kernel."""
        self._pipe().close()

    def _pipe(self) -> IO[bytes]:
        if self.process.stdin is None:
            raise TypeError("a spare is started with a pipe")
        return self.process.stdin


class Spares:
    """The spares of one process.

    Args:
        root: where their folders lie; it should be short (kernel sockets).
        command: how one is started; its folder and its kind are appended.
        environment: a worker's environment.
    """

    def __init__(self, root: Path, *, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._root, self._command = root, tuple(command)
        self._secrets = {name: value for name, value in environment.items() if name.startswith(VARIABLE)}
        self._environment = {name: value for name, value in environment.items() if name not in self._secrets}
        self._waiting: list[Spare] = []
        self._failed: set[str] = set()
        self._number = 0

    def keep(self, kinds: Iterable[str]) -> None:
        """See to it that there is one spare for each mention of a kind, and none of another kind.

        A kind whose spare ended by itself cannot be had here, and is not tried again: its work begins cold.
        """
        self._failed |= {spare.kind for spare in self._waiting if spare.process.poll() is not None}
        wanted = Counter(kind for kind in kinds if kind not in self._failed)
        for spare in tuple(self._waiting):
            if wanted[spare.kind] > 0:
                wanted[spare.kind] -= 1
            else:
                self._waiting.remove(spare)
                spare.end()
        self._waiting += [self._start(kind) for kind in wanted.elements()]

    def take(self, kind: str, spool: Path) -> subprocess.Popen[bytes] | None:
        """Hand a spool to a spare of a kind, one that is ready if there is one; None if there is none at all."""
        fitting = [one for one in self._waiting if one.kind == kind and one.process.poll() is None]
        for spare in sorted(fitting, key=lambda one: not one.ready):
            self._waiting.remove(spare)
            if spare.hand(spool, secrets=self._secrets):
                return spare.process
        return None

    def close(self) -> None:
        """Let all of them go, and wait until they are gone."""
        waiting, self._waiting = self._waiting, []
        for spare in waiting:
            spare.end()
        for spare in waiting:
            spare.process.wait()

    def sweep(self) -> None:
        """Remove the folders of spares that were killed before they could do it themselves."""
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            mine = any(one.folder == folder for one in self._waiting)
            if not mine and not _lives(folder):
                shutil.rmtree(folder, ignore_errors=True)

    def _start(self, kind: str) -> Spare:
        self._number += 1
        folder = self._root / f"{os.getpid()}-{self._number}"
        folder.mkdir(mode=0o700, parents=True)
        with (folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [*self._command, str(folder), "--kind", kind],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                close_fds=True,
                env=self._environment,
            )
        threading.Thread(target=process.wait, daemon=True, name="spare's end").start()
        return Spare(process, folder, kind)


def _lives(folder: Path) -> bool:
    """Whether the spare that a folder belongs to still runs; one that begins at this moment has not written it yet."""
    try:
        return parse(Claim, (folder / CLAIMED).read_bytes()).lives()
    except (OSError, msgspec.MsgspecError):
        return False
