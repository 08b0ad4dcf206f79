"""The kernel's first lines: an IPython kernel whose output waits for its reader, and is never dropped.

Run as a script of its own inside the sandbox (`python -P kernel_start.py LIMITS -f CONNECTION ...`); it imports nothing
of ours. What cells start inherits the limits that it binds itself to. A kernel as it comes takes in whatever a cell
shows, in its own memory and without a bound, and throws messages away once a thousand wait to be sent; among them may
be the one that says a cell is done. Here a cell that shows more than its reader reads has to wait, as a program does
that writes into a pipe.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
from collections.abc import Mapping
from typing import Any

import zmq
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.kernelapp import IPKernelApp

WAITING = 16
"""Messages that may wait to be sent."""
CHUNK = 256 * 1024
"""Characters of a stream that make one message, and bytes of all other messages after which their sender waits."""


class Publisher(IOPubThread):
    """Sends messages in its own thread, and has those who give it many of them wait until they are sent."""

    _taken = 0

    def send_multipart(self, *parts: Any, **how: Any) -> None:
        """Take a message, and now and then return only when everything so far is with the socket."""
        super().send_multipart(*parts, **how)  # type: ignore[no-untyped-call] # ipykernel is typed only in part
        self._taken += sum(map(len, parts[0]))
        if self._taken >= CHUNK:
            self._taken = 0
            self.wait()

    def wait(self) -> None:
        """Return when what was given before has been taken by the socket."""
        if self.thread.is_alive() and self.thread is not threading.current_thread():
            sent = threading.Event()
            self.schedule(sent.set)  # type: ignore[no-untyped-call] # as above
            sent.wait()


class Stream(OutStream):
    """Standard output or error, in messages of a bounded size."""

    _written = 0

    def write(self, string: str) -> int | None:  # type: ignore[override] # as in OutStream
        """Write a text; one that is long waits until its reader follows."""
        if not isinstance(string, str) or not self._is_master_process():  # type: ignore[no-untyped-call] # as above
            return super().write(string)
        for start in range(0, len(string), CHUNK):
            part = string[start : start + CHUNK]
            super().write(part)
            self._written += len(part)
            if self._written >= CHUNK:
                self._written = 0
                self._pass_on()
        return len(string)

    def _pass_on(self) -> None:
        if isinstance(self.pub_thread, Publisher):
            self.pub_thread.schedule(self._flush)  # type: ignore[no-untyped-call] # as above
            self.pub_thread.wait()


class Application(IPKernelApp):
    """IPKernelApp with a publisher that waits instead of dropping."""

    outstream_class = f"{__name__}.Stream"

    def init_iopub(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        """Open the publishing socket."""
        socket = context.socket(zmq.XPUB)
        socket.linger = 1000
        socket.sndhwm = WAITING
        socket.setsockopt(zmq.XPUB_NODROP, 1)
        self.iopub_port = self._bind_socket(socket, self.iopub_port)  # type: ignore[no-untyped-call] # as above
        self.iopub_thread = Publisher(socket, pipe=True, session=self.session)  # type: ignore[no-untyped-call] # as above
        self.iopub_thread.start()  # type: ignore[no-untyped-call] # as above
        self.iopub_socket = self.iopub_thread.background_socket


def bind(limits: Mapping[str, int]) -> None:
    """Set what each process may use, by the system's names for it; a limit that is lower already stays."""
    for name, most in limits.items():
        kind = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (least, least))


if __name__ == "__main__":
    bind(json.loads(sys.argv.pop(1)))
    Application.launch_instance()
