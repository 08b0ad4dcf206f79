"""One supervisor at a time on a machine: two would do everything twice and say it once."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(folder: Path, *, say: Callable[[str], None]) -> Iterator[None]:
    """Be the only one until the end of the block; whoever is there already is waited for, and `say` tells so."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "supervisor.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another supervisor is at work on this machine; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
