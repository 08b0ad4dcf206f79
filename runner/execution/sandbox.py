"""The sandbox: what one kernel can reach, as a value. A kernel started in it fits every order that needs the same.

It says what is asked for. `bubblewrap` makes the command line of it where the host can keep to it, and `isolation` says
which level is reached.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from runner.digest import Wire

MEBIBYTE = 1024 * 1024


class Limits(Wire):
    """What the processes of a kernel may use. Sizes are MiB; `memory`, `open_files` count for each process."""

    memory: int = 4096
    processes: int = 512
    open_files: int = 4096
    file_size: int = 10240


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
