"""The kernel's first lines: no output message is ever dropped, however slow its reader is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import zmq

from runner.execution import isolation
from runner.execution.kernels import Kernel
from runner.execution.sandbox import Sandbox

MANY = 5_000
"""Several times what waits at most in a kernel as it comes."""


def test_everything_shown_while_a_slow_reader_does_not_read_arrives_and_the_end_last(tmp_path: Path) -> None:
    room, loop = isolation.open_room(tmp_path), asyncio.new_event_loop()
    sandbox = Sandbox(level=isolation.reached())
    kernel = Kernel(room, sandbox=sandbox, environment=isolation.environment(room, {}), loop=loop)
    kernel.connect()
    # A copy, because a session refuses to read the same message twice.
    session = kernel.client.session.clone()
    context = zmq.Context()
    slow = context.socket(zmq.SUB)
    # Next to nothing waits on this side, so that what is not read has to wait in the kernel.
    slow.setsockopt(zmq.RCVHWM, 1)
    slow.setsockopt(zmq.RCVBUF, 1024)
    slow.setsockopt(zmq.LINGER, 0)
    slow.setsockopt(zmq.RCVTIMEO, 20_000)
    slow.subscribe(b"")
    slow.connect(f"ipc://{kernel.client.ip}-{kernel.client.iopub_port}")

    def heard() -> tuple[str, dict[str, object]]:
        _, frames = session.feed_identities(slow.recv_multipart())
        message = session.deserialize(frames)
        return message["msg_type"], message["content"]

    def run(code: str) -> None:
        done = kernel.run(kernel.client.execute_interactive(code, timeout=60, output_hook=lambda _: None))
        assert done["content"]["status"] == "ok"

    try:
        run("pass")
        while heard() != ("status", {"execution_state": "idle"}):
            pass
        run(f"from IPython.display import display\nfor i in range({MANY}):\n    display('x' * 500 + str(i))")
        shown = 0
        while (got := heard()) != ("status", {"execution_state": "idle"}):
            shown += got[0] == "display_data"
        assert shown == MANY
    finally:
        slow.close()
        context.term()
        kernel.end(now=True)
        isolation.close_room(room)
        loop.close()
