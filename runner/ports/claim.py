"""The claim: the mark that one worker made a piece of work its own, read by the executor to see whether it still lives.

It crosses between a worker and an executor that may know each other only through files. A process is named by its id,
its start time and the boot it belongs to, because a process id alone is given out again.
"""

from __future__ import annotations

import os
from pathlib import Path

from runner.digest import Wire

NAME = "claimed"
"""The file in a spool that holds the claim."""


class Claim(Wire):
    """Which process carries the work out. `started` is in clock ticks since boot, as the kernel keeps it."""

    pid: int
    boot: str
    started: str

    def lives(self) -> bool:
        """Say whether that very process still runs here."""
        return self == of_process(self.pid)


def of_process(pid: int | None = None) -> Claim | None:
    """Name a running process, this one by default; None if it is gone (a zombie counts as gone)."""
    number = os.getpid() if pid is None else pid
    try:
        # The command name may hold spaces and brackets; what follows the last bracket is regular.
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return _without_proc(number)
    state, started = fields[0], fields[19]
    return None if state in {"Z", "X"} else Claim(pid=number, boot=boot, started=started)


def _without_proc(pid: int) -> Claim | None:
    if Path("/proc/self").exists():
        return None
    try:
        os.kill(pid, 0)
    except OSError:
        return None
    return Claim(pid=pid, boot="", started="")
