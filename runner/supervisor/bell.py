"""The bell: a socket by which commands on this machine wake a long-lived supervisor and hear what it does.

It is a hint and nothing else: whoever rings has the supervisor look a little earlier than it would have by itself, and
is told what anybody may read on the issue. The socket is in the state folder, for its owner alone. A supervisor that is
gone leaves one that nobody answers, and one that goes away in between just stops talking.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from pathlib import Path

import msgspec

from runner.digest import Json
from runner.execution.progress import Progress
from runner.supervisor.ringing import Ring, Words, address

PATIENCE = 10.0
"""Seconds that whoever rings may take to say why, and to take in what is said."""
_LONGEST = 4096


class Bell:
    """The supervisor's side. Rings are taken by a thread of its own; everything else is for the supervisor's thread.

    Args:
        file: where the socket is to be.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.rung = threading.Event()
        """Set when somebody rings; whoever looks clears it first."""
        self._lock = threading.Lock()
        self._callers: dict[socket.socket, Ring] = {}
        self._socket = socket.socket(socket.AF_UNIX)
        file.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            with address(file) as where:
                self._socket.bind(where)
        finally:
            os.umask(before)
        self._socket.listen()
        threading.Thread(target=self._listen, daemon=True, name="bell").start()

    def callers(self) -> tuple[Ring, ...]:
        """Who waits for an answer."""
        with self._lock:
            return tuple(self._callers.values())

    def say(self, text: str) -> None:
        """Tell everybody who waits what happens."""
        for caller in self._all():
            self._tell(caller, Words(say=text))

    def progress(self, run: str, progress: Progress) -> None:
        """Show everybody who waits how far a run is."""
        for caller in self._all():
            self._tell(caller, Words(run=run, progress=msgspec.Raw(msgspec.json.encode(progress))))

    def end(self, ring: Ring, value: dict[str, Json]) -> None:
        """Tell those who rang for this request what came of it; they do not wait any longer."""
        for caller, why in self._all().items():
            if why == ring:
                self._tell(caller, Words(end=value))
                self._drop(caller)

    def close(self) -> None:
        """Take no more rings."""
        self._file.unlink(missing_ok=True)
        self._socket.close()
        for caller in self._all():
            self._drop(caller)

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._hear, args=(caller,), daemon=True, name="ring").start()

    def _hear(self, caller: socket.socket) -> None:
        caller.settimeout(PATIENCE)
        try:
            if _owner(caller) != os.getuid():
                raise PermissionError
            with caller.makefile("rb") as stream:
                ring = msgspec.json.decode(stream.readline(_LONGEST), type=Ring)
        except (OSError, msgspec.MsgspecError):
            caller.close()
            return
        # Twice: whoever is among the callers has a look behind them, or before them, that was taken after they rang.
        self.rung.set()
        with self._lock:
            self._callers[caller] = ring
        self.rung.set()

    def _all(self) -> dict[socket.socket, Ring]:
        with self._lock:
            return dict(self._callers)

    def _tell(self, caller: socket.socket, words: Words) -> None:
        try:
            caller.sendall(msgspec.json.encode(words) + b"\n")
        except OSError:
            self._drop(caller)

    def _drop(self, caller: socket.socket) -> None:
        with self._lock:
            self._callers.pop(caller, None)
        caller.close()


def _owner(caller: socket.socket) -> int:
    """Which user is at the other end."""
    data = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", data)[1])
