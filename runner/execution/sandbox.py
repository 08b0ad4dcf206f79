"""The sandbox: what one kernel can reach, as a value. A kernel started in it fits every order that needs the same.

It says what is asked for. `bubblewrap` makes the command line of it where the host can keep to it, and `isolation` says
which level is reached.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from runner.digest import Wire

MEBIBYTE = 1024 * 1024


class Limits(Wire):
    """What the processes of a kernel may use. Sizes are MiB; `memory`, `open_files` count for each process."""

    memory: int = 4096
    processes: int = 512
    open_files: int = 4096
    file_size: int = 10240

    def of_system(self) -> dict[str, int]:
        """The system's own limits, by their names in `resource`.

        Data and not address space is counted: much of the latter is only reserved. How many processes there may be is
        counted for the whole user by older systems, so what is there already comes on top; the guardian counts ours.
        """
        return {
            "RLIMIT_CORE": 0,
            "RLIMIT_DATA": self.memory * MEBIBYTE,
            "RLIMIT_FSIZE": self.file_size * MEBIBYTE,
            "RLIMIT_NOFILE": self.open_files,
            "RLIMIT_NPROC": self.processes + _threads(),
        }


def _threads() -> int:
    """How many threads the machine has now."""
    try:
        return int(Path("/proc/loadavg").read_text(encoding="ascii").split()[3].partition("/")[2])
    except (OSError, ValueError, IndexError):
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What a kernel can reach. Two equal ones are interchangeable, so it is the key of whatever keeps kernels ready.

    `level` is the isolation that is reached. `read` and `write` are absolute paths; `hidden` are folders that stay shut
    even where they lie in an opened one. `python` is the interpreter, whose folders and packages can be read.
    """

    level: str
    network: bool = False
    processes: str = "own"
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    python: str = sys.executable
