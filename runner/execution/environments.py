"""Environments: the packages of a lock file, installed once on a machine and only read from then on.

One folder for each lock digest and interpreter. It is built under a lock, checked against the lock file, closed for
writing, and marked as complete last: what has no mark is built again from nothing. Only wheels are installed, without
looking at dependencies: to build from source would install whatever a package's author wants today. uv does it where
there is one, else pip; `installer` knows both. How a kernel is started in it is not known here.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

import msgspec

from runner.digest import Digest, Wire, parse, readable, sha256
from runner.errors import OperatorError
from runner.execution import installer
from runner.runbook import environment
from runner.runbook.environment import Lock

DOING = "preparing the environment"
TIMEOUT = 900.0
"""Seconds that one step of building may take, and waiting for somebody else's building."""
COMPLETE, LOCK_FILE, POLL = "complete.json", "lock.txt", 0.1


class UnbuiltError(OperatorError):
    """The environment cannot be had: nothing was started in it."""


class Mark(Wire):
    """What makes an environment complete."""

    lock: Digest
    packages: tuple[str, ...]
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A complete environment. `packages` are `name==version` lines, sorted."""

    python: Path
    lock: Digest
    packages: tuple[str, ...]

    @property
    def kernel(self) -> str:
        """The kernel implementation and its version."""
        found = next(line for line in self.packages if line.startswith(f"{environment.KERNEL}=="))
        return found.replace("==", " ")


def provide(root: Path, content: bytes, *, stopped: Callable[[], bool] = lambda: False) -> Built:
    """Give the environment of a lock file, building it if this machine has not yet.

    Args:
        root: the folder of all environments of this machine.
        content: the lock file's exact bytes.
        stopped: whether somebody asked for the end; looked at while building.

    Raises:
        UnbuiltError: if the lock does not pin, cannot be installed, or what was installed is not what it says.
    """
    lock = environment.read(content)
    if lock.problems:
        wrong = "; ".join(map(str, lock.problems))
        raise UnbuiltError(DOING, f"the lock file does not pin: {wrong}", hint="correct it, and ask again")
    digest = sha256(content)
    place = root / _name(digest)
    if not (place / COMPLETE).exists():
        try:
            with _alone(root / f"{place.name}.lock", stopped=stopped) as held:
                if not (place / COMPLETE).exists():
                    _build(place, content, lock=lock, installing=installer.Installing(held=held, stopped=stopped))
        except OSError as error:
            hint = f"see disk and rights of {root.name} in the state folder"
            raise UnbuiltError(DOING, f"the system refused: {error.strerror}", hint=hint) from error
    return _checked(place, digest)


def built(root: Path, lock: Digest) -> Built | None:
    """The environment of a lock file of this digest, if this machine has built it; nothing is built here.

    Raises:
        UnbuiltError: if it is not as it was built.
    """
    place = root / _name(lock)
    return _checked(place, lock) if (place / COMPLETE).exists() else None


def _name(lock: Digest) -> str:
    """One for each lock and interpreter: an upgraded Python finds nothing that was built for the one before."""
    interpreter = sha256(f"{sys.version}\n{sys.base_exec_prefix}".encode())
    return f"{lock[:24]}-{interpreter[:8]}"


@contextmanager
def _alone(file: Path, *, stopped: Callable[[], bool]) -> Iterator[int]:
    """Hold the right to build one environment; whoever was killed while building has lost it with its last process."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    deadline = time.monotonic() + TIMEOUT
    with file.open("ab") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if stopped() or time.monotonic() >= deadline:
                    hint = "look for a hanging uv or pip"
                    raise UnbuiltError(DOING, "another process is building it and does not end", hint=hint) from None
                time.sleep(POLL)
            else:
                yield lock.fileno()
                return


def _build(place: Path, content: bytes, *, lock: Lock, installing: installer.Installing) -> None:
    _remove(place)
    venv.create(place, symlinks=os.name != "nt", with_pip=False)
    (place / LOCK_FILE).write_bytes(content)
    python = place / "bin" / "python"
    try:
        installing.install(python, place / LOCK_FILE, hashed=lock.hashed, timeout=TIMEOUT)
        installing.check(python, timeout=TIMEOUT)
    except installer.FailedError as error:
        raise UnbuiltError(DOING, str(error), hint=error.hint) from None
    packages = _installed(place)
    wanted = tuple(sorted(f"{package.name}=={package.version}" for package in lock.packages))
    if packages != wanted:
        odd = ", ".join(sorted(set(packages) ^ set(wanted))[:6])
        raise UnbuiltError(
            DOING, f"what was installed is not what is pinned: {odd}", hint="pin what packages call themselves"
        )
    _close(place)
    _mark(place, Mark(lock=sha256(content), packages=packages))


def _checked(place: Path, lock: Digest) -> Built:
    """What is there, if it is still what was built."""
    try:
        mark = parse(Mark, (place / COMPLETE).read_bytes())
    except (OSError, msgspec.MsgspecError):
        mark = None
    if mark is None or mark.lock != lock or mark.packages != _installed(place):
        hint = f"remove {place.parent.name}/{place.name} from the state folder: it is built again"
        raise UnbuiltError(DOING, "the environment on this machine was altered after it was built", hint=hint)
    return Built(python=place / "bin" / "python", lock=mark.lock, packages=mark.packages)


def _installed(place: Path) -> tuple[str, ...]:
    """Every package that is there, as lock files name them."""
    folders = [str(folder) for folder in sorted(place.glob("lib*/python*/site-packages"))]
    return tuple(
        sorted({f"{environment.normal(one.name)}=={one.version}" for one in distributions(path=folders) if one.name})
    )


def _close(place: Path) -> None:
    """Take the right to write from everything: against accidents, since its owner can give it back."""
    for folder, _, files in os.walk(place, topdown=False):
        for path in (*(Path(folder, name) for name in files), Path(folder)):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)


def _remove(place: Path) -> None:
    """Remove what somebody left unfinished, closed or not."""
    for folder, _, _ in os.walk(place):
        Path(folder).chmod(0o700)
    if place.exists():
        shutil.rmtree(place)


def _mark(place: Path, mark: Mark) -> None:
    """Say that it is complete, durably: after everything in it."""
    os.sync()
    place.chmod(0o700)
    new = place / f"{COMPLETE}.new"
    with new.open("wb") as file:
        file.write(readable(mark))
        file.flush()
        os.fsync(file.fileno())
    new.rename(place / COMPLETE)
    place.chmod(0o500)
