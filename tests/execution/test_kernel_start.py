"""The kernel's first lines: what is shown waits for its reader, in a bounded memory, and none of it is dropped."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from pathlib import Path

import zmq

from runner.execution import isolation
from runner.execution.kernels import Kernel
from runner.execution.sandbox import Sandbox

from .conftest import processes

MANY = 5_000
"""Several times what waits at most in a kernel as it comes."""
LINES, LINE = 100, 999_999
"""100 MB: more than a kernel may take in while its reader is away."""
CODE = f"""
from IPython.display import display
for number in range({MANY}):
    display(number)
for number in range({LINES}):
    print("y" * {LINE})
"""


def resident(marker: str) -> int:
    """The most memory that any process with a marker in its environment has now, in MB."""
    found = [0]
    for pid in processes(marker):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            found += [int(line.split()[1]) // 1024] if line.startswith("VmHWM") else []
    return max(found)


def test_a_cell_waits_for_a_slow_reader_and_everything_arrives_with_the_end_last(tmp_path: Path) -> None:
    # Reading was not needed here before, when a kernel took in everything: now a cell waits for its slowest reader.
    room, loop = isolation.open_room(tmp_path), asyncio.new_event_loop()
    sandbox = Sandbox(level=isolation.reached())
    environment = isolation.environment(room, {"RUNBOOK_RUN_ID": "slow-4326"})
    kernel = Kernel(room, sandbox=sandbox, environment=environment, loop=loop)
    kernel.connect()
    # A copy, because a session refuses to read the same message twice.
    session = kernel.client.session.clone()
    context = zmq.Context()
    slow = context.socket(zmq.SUB)
    slow.setsockopt(zmq.RCVHWM, 1)
    slow.setsockopt(zmq.RCVBUF, 1024)
    slow.setsockopt(zmq.LINGER, 0)
    slow.setsockopt(zmq.RCVTIMEO, 60_000)
    slow.subscribe(b"")
    slow.connect(f"ipc://{kernel.client.ip}-{kernel.client.iopub_port}")
    shown: Counter[str] = Counter()
    memory: list[int] = []

    def heard() -> tuple[str, dict[str, object]]:
        _, frames = session.feed_identities(slow.recv_multipart())
        message = session.deserialize(frames)
        return message["msg_type"], message["content"]

    def read_slowly() -> None:
        while (got := heard()) != ("status", {"execution_state": "idle"}):
            shown[got[0]] += 1 if got[0] == "display_data" else len(str(got[1].get("text", "")))
            if got[0] == "stream" and not memory:
                time.sleep(2)
                memory.append(resident("slow-4326"))

    def run(code: str) -> None:
        done = kernel.run(kernel.client.execute_interactive(code, timeout=120, output_hook=lambda _: None))
        assert done["content"]["status"] == "ok"

    try:
        run("pass")
        while heard() != ("status", {"execution_state": "idle"}):
            pass
        reader = threading.Thread(target=read_slowly, daemon=True)
        reader.start()
        run(CODE)
        reader.join(timeout=60)
        assert (shown["display_data"], shown["stream"]) == (MANY, LINES * (LINE + 1))
        assert memory[0] < 130
    finally:
        slow.close()
        context.term()
        kernel.end(now=True)
        isolation.close_room(room)
        loop.close()
