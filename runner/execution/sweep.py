"""Ending what one cell started, while its kernel goes on: asked first, killed after a while.

A cell that was stopped must leave nobody at work behind it, and the processes of the cells before it are none of its
business; what tells them apart is when they began. All of them are below the kernel's guardian, wherever they detached
themselves to. Nothing is found where the system is not Linux.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time

from runner.execution.guardian import descendants

POLL = 0.02
"""Seconds between two looks."""


def now() -> int:
    """This moment, as the beginnings of processes are counted: in clock ticks since the machine began."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return int(time.clock_gettime(clock) * os.sysconf("SC_CLK_TCK"))


async def sweep(root: int, *, since: int, grace: float) -> None:
    """End every process below one that began at a moment or later.

    Args:
        root: the process id above them.
        since: the moment, of `now`.
        grace: seconds that they have to end by themselves, and then to be gone.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        sent: set[int] = set()
        end = time.monotonic() + grace
        while young := {pid for pid, began in descendants(root).items() if began >= since}:
            if time.monotonic() >= end:
                break
            for pid in young - sent:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
            sent |= young
            await asyncio.sleep(POLL)
