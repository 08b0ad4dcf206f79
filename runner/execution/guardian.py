"""The guardian: the parent of one kernel, which sees to it that nothing of a run outlives it.

Run as a script of its own (`python -I -S guardian.py PARENT FOLDERS MOST -- COMMAND...`), standard library only,
between worker and kernel and outside of the sandbox. It is the subreaper of everything that the kernel starts, so that
also a process that detached itself becomes its child. When the kernel ends, when the worker dies, when there are more
than MOST of them or when it is told to (SIGTERM), it kills them all, removes the private folders (secrets, sockets) if
the worker is gone, and ends with the kernel's exit status. Process hygiene: only a sandbox with processes of its own
keeps a hostile cell from killing the guardian.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
STATE, PARENT, BEGAN = 0, 1, 19
"""Fields of a process's `stat`, counted behind its name."""
POLL = 0.5
"""Seconds between two looks at the parent, where the system does not tell us of its death."""


class Told(Exception):  # noqa: N818 - not an error: the word to end
    """Somebody asked for the end."""


def main(argv: list[str]) -> int:
    """Start the command and stay until all of it is gone; return its exit status as a shell would."""
    parent, folders, most, command = int(argv[0]), argv[1].split(os.pathsep), int(argv[2]), argv[4:]
    control = _control()
    control(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    status = 1
    try:
        signal.signal(signal.SIGTERM, _told)
        control(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == parent:
            status = _kept(command, parent=parent, most=most, control=control)
    except Told:
        status = 128 + signal.SIGTERM
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        _end_all()
    finally:
        if os.getppid() != parent:
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)
    return status


def _control() -> Callable[[int, int], int]:
    """The system call that asks for both; nothing where the system is not Linux."""
    if not sys.platform.startswith("linux"):
        return lambda _option, _value: 0
    library = ctypes.CDLL(None, use_errno=True)
    return lambda option, value: int(library.prctl(option, value, 0, 0, 0))


def _told(_number: int, _frame: FrameType | None) -> None:
    raise Told


def _kept(command: list[str], *, parent: int, most: int, control: Callable[[int, int], int]) -> int:
    environment = os.environ | {"JPY_PARENT_PID": str(os.getpid())}
    kernel = subprocess.Popen(
        command,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: _in_child(control),  # noqa: PLW1509 - this process has one thread
    )
    while True:
        # Collecting every child, not only the kernel, keeps detached ones from piling up as zombies.
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, state = os.waitpid(-1, os.WNOHANG)
                if pid == kernel.pid:
                    kernel.returncode = os.waitstatus_to_exitcode(state)
                    return kernel.returncode if kernel.returncode >= 0 else 128 - kernel.returncode
                if pid == 0:
                    break
        if os.getppid() != parent:
            # Without /proc its group is all that can be found.
            os.killpg(kernel.pid, signal.SIGKILL)
            raise Told
        if _crowded(most):
            raise Told
        signal.sigtimedwait({signal.SIGCHLD}, POLL) if hasattr(signal, "sigtimedwait") else time.sleep(POLL / 5)


def _crowded(most: int) -> bool:
    """Whether there are more processes below us than may be: what the system's own limit does not tell root.

    Counting them is not cheap, so the machine's own count is asked first: few in all cannot be many of ours.
    """
    try:
        in_all = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])
    except (OSError, ValueError, IndexError):
        return False
    return in_all > most and len(descendants(os.getpid())) > most


def _in_child(control: Callable[[int, int], int]) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    control(PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_all() -> None:
    """Kill every descendant until none is left; one that forks meanwhile is found in the next round."""
    while True:
        for pid in descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def descendants(root: int) -> dict[int, int]:
    """Find every process below one, and when each began, in the system's clock ticks; the dead are left out."""
    parents: dict[int, int] = {}
    began: dict[int, int] = {}
    # Listed plainly: a glob looks at each entry itself, and breaks when a process goes away at that moment.
    for process in Path("/proc").iterdir() if sys.platform.startswith("linux") else ():
        with contextlib.suppress(OSError, ValueError, IndexError):
            status = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if status[STATE] != "Z":
                parents[int(process.name)], began[int(process.name)] = int(status[PARENT]), int(status[BEGAN])
    found: dict[int, int] = {}
    frontier = {root}
    while frontier:
        frontier = {pid for pid, parent in parents.items() if parent in frontier}
        found |= {pid: began[pid] for pid in frontier}
    return found


if __name__ == "__main__":
    # SIGCHLD is waited for, so it has to be held back rather than dropped.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    sys.exit(main(sys.argv[1:]))
