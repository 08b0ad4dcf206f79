"""The kernel's first lines: no output message is ever dropped, however late it is read."""

from __future__ import annotations

import asyncio
import queue
from pathlib import Path
from typing import Any

from runner.execution import isolation
from runner.execution.kernels import Kernel

MANY = 20_000
"""Twenty times what waits at most in a kernel as it comes."""


def test_everything_shown_while_nobody_reads_arrives_and_the_end_last(tmp_path: Path) -> None:
    room, loop = isolation.open_room(tmp_path), asyncio.new_event_loop()
    kernel = Kernel(room, environment=isolation.environment(room, {}), loop=loop)
    kernel.connect()
    code = f"from IPython.display import display\nfor i in range({MANY}):\n    display(i)"

    async def shown() -> list[str]:
        wanted = kernel.client.execute(code)
        # The reply comes on another channel: when it is here, every display was sent and none was read.
        while (await kernel.client.get_shell_msg(timeout=60))["parent_header"].get("msg_id") != wanted:
            pass
        found: list[str] = []
        while True:
            message: dict[str, Any] = await kernel.client.get_iopub_msg(timeout=20)
            if message["parent_header"].get("msg_id") != wanted:
                continue
            if message["msg_type"] == "display_data":
                found.append(message["content"]["data"]["text/plain"])
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return found

    try:
        assert kernel.run(shown()) == [str(at) for at in range(MANY)]
    except queue.Empty as error:
        raise AssertionError("the message that the cell is done was dropped") from error
    finally:
        kernel.end(now=True)
        isolation.close_room(room)
        loop.close()
