"""The kernel's first lines: an IPython kernel that never drops an output message.

Run as a script of its own inside the sandbox (`python -P kernel_start.py -f CONNECTION ...`); it imports nothing of
ours. By default the kernel's publishing socket throws messages away once a thousand are waiting, and with them the
message that says a cell is done: twenty thousand displays would look like a hung cell.
"""

from __future__ import annotations

import zmq
from ipykernel.kernelapp import IPKernelApp


class Application(IPKernelApp):
    """IPKernelApp with an unbounded output queue; the worker bounds what it keeps."""

    def init_iopub(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        """Open the publishing socket."""
        context.setsockopt(zmq.SNDHWM, 0)
        super().init_iopub(context)  # type: ignore[no-untyped-call] # ipykernel is typed only in part


if __name__ == "__main__":
    Application.launch_instance()
