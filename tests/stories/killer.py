"""A supervisor that kills itself (SIGKILL, nothing is tidied) before or after its N-th effect on the world.

Run as a process: `python -m tests.stories.killer CLONE N before|after LOG [OPTION...]`. It does what `runbook
reconcile --once` does, and writes the name of each effect to LOG as it comes to it. With fewer than N effects it ends
by itself, with 0. `NAME:N` is the N-th effect of that name.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

EFFECTS: tuple[tuple[str, str, str], ...] = (
    ("runner.repository.refs", "", "publish"),
    ("runner.repository.refs", "", "show"),
    ("runner.repository.refs", "", "remove"),
    ("runner.adapters.gitlab_asking", "Asking", "write"),
    ("runner.adapters.executor.local", "", "_write"),
    ("runner.adapters.executor.local", "LocalExecutor", "_start"),
    ("runner.adapters.executor.local", "LocalExecutor", "cancel"),
    ("runner.adapters.executor.local", "LocalExecutor", "deliver"),
    ("runner.adapters.executor.local", "LocalExecutor", "forget"),
    ("runner.supervisor.planning", "", "_keep"),
    ("runner.supervisor.glass", "", "remove"),
    ("runner.evidence.view", "", "refresh"),
)
"""Everything that a supervisor changes outside of its own memory: module, class, function.

What people are told and labels are pushes to the branch of issues, so they are among the `publish`; on GitLab each of
them is a `write`.
"""


def wrap(around: Callable[[str, Callable[[], Any]], Any]) -> None:
    """Let every effect pass through a function that gets its name and the call."""
    for module_name, class_name, name in EFFECTS:
        place: Any = __import__(module_name, fromlist=["_"])
        place = getattr(place, class_name) if class_name else place
        setattr(place, name, _through(around, getattr(place, name), name))


def _through(
    around: Callable[[str, Callable[[], Any]], Any], real: Callable[..., Any], name: str
) -> Callable[..., Any]:
    @functools.wraps(real)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return around(f"{name} {args[2]}" if name == "publish" else name, lambda: real(*args, **kwargs))

    return wrapped


class Counter:
    """Counts effects, or those of one name, and ends the process at the N-th."""

    def __init__(self, which: str, *, after: bool, log: Path) -> None:
        self._name, _, number = which.rpartition(":")
        self._left = int(number)
        self._after = after
        self._log = log

    def __call__(self, name: str, effect: Callable[[], Any]) -> Any:
        counts = self._name in {"", name}
        self._left -= counts
        last = counts and self._left == 0  # asked before the effect, which may hold others
        with self._log.open("a") as file:
            file.write(f"{name}\n")
        if last and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        done = effect()
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return done


def main(argv: list[str]) -> int:
    """Reconcile once, as far as one gets."""
    from runner.cli.main import run

    clone, number, when, log, *more = argv
    wrap(Counter(number, after=when == "after", log=Path(log)))
    return run(["-C", clone, "reconcile", "--once", "--json", *more])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
