"""The command line of bubblewrap for a sandbox, and the probe whether this host lets us use it.

An allow list: the file system begins empty and read-only, and what is not named here, in the sandbox or in the room
does not exist for a cell. Everything is mounted under its real path, and a path that was spelled with links in it
becomes a link: a link that a cell has left behind can therefore not move a mount of the next kernel.

The user namespace is not there for another user id (there is none), but because it is what keeps a cell from reading
the memory, environment and open files of the same user's processes outside, also where it sees them.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from runner.execution import interpreter
from runner.execution.sandbox import Sandbox

PROBE_TIMEOUT = 10.0

_APART = (
    "--unshare-user", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
    "--die-with-parent", "--new-session", "--cap-drop", "ALL",
)  # fmt: skip
_FOUNDATION = ("--tmpfs", "/tmp", "--tmpfs", "/var/tmp", "--dir", "/run", "--dev", "/dev")  # noqa: S108 - its own
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
_ETC = (
    "alternatives", "bash.bashrc", "ca-certificates", "gai.conf", "group", "host.conf", "hosts", "inputrc",
    "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "magic", "mime.types", "nsswitch.conf", "os-release",
    "passwd", "pki/ca-trust/extracted", "pki/tls/cert.pem", "pki/tls/certs", "pki/tls/openssl.cnf", "profile",
    "protocols", "resolv.conf", "services", "ssl/certs", "ssl/openssl.cnf", "terminfo", "timezone",
)  # fmt: skip
"""What programs look up. Neither keys nor the configuration of services are among it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The folders of the room that a kernel gets, whatever else is hidden: all else in `shut` is.

    `work` is where it starts.
    """

    read: tuple[Path, ...]
    write: tuple[Path, ...]
    work: Path
    shut: Path


def usable() -> bool:
    """Whether a sandbox can be made here, found out by making one: being installed is not enough.

    Containers often forbid user namespaces, or mounting /proc.
    """
    program = shutil.which("bwrap")
    if program is None:
        return False
    least = Sandbox(level="bwrap")
    system = _system()
    words = [*_apart(least), *_FOUNDATION, *_words(_distinct(system)), *_links(system), *_proc(least), *_end(())]
    try:
        asked = subprocess.run(
            [program, *words, "--", "/bin/sh", "-c", "exit 0"], check=False, capture_output=True, timeout=PROBE_TIMEOUT
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return asked.returncode == 0


def command(sandbox: Sandbox, own: Own) -> list[str]:
    """What to put before a kernel's command line.

    Raises:
        OutsideError: if the sandbox's interpreter does not run.
    """
    hidden = [*_hidden(sandbox), own.shut.resolve()]
    python = [_Mount.of(path) for path in interpreter.folders(sandbox.python)]
    # The interpreter comes after what a run may write: its packages are nobody's to change.
    outer = [*_system(), *_declared(sandbox), *(one for one in python if not one.below(hidden))]
    shut = [path for path in hidden if path.is_dir() and any(path.is_relative_to(one.real) for one in outer)]
    # What is ours may lie in a hidden folder, and is mounted after that was shut.
    inner = [one for one in python if one.below(hidden)]
    inner += [*(_Mount.of(path) for path in own.read), *(_Mount.of(path, write=True) for path in own.write)]
    return [
        shutil.which("bwrap") or "bwrap",
        *_apart(sandbox),
        *_FOUNDATION,
        *_words(_distinct(outer)),
        *(word for path in shut for word in ("--tmpfs", str(path))),
        *_words(inner),
        *_links((*outer, *inner)),
        *_proc(sandbox),
        *_end(shut),
        *("--chdir", str(own.work)),
        # The kernel's parent in here is bubblewrap: the poll for its death would take it for a stranger.
        *("--setenv", "JPY_PARENT_PID", "1"),
        "--",
    ]


def refused(sandbox: Sandbox) -> tuple[str, ...]:
    """Paths that the sandbox asks for and that lie in a hidden folder: those are opened to nobody."""
    hidden = _hidden(sandbox)
    return tuple(str(one.spelled) for one in _declared(sandbox) if one.below(hidden))


def missing(sandbox: Sandbox) -> tuple[str, ...]:
    """Paths to write that do not exist: what cells wrote there would be gone with the sandbox."""
    return tuple(path for path in sandbox.write if not Path(path).exists())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mount:
    spelled: Path
    real: Path
    write: bool

    @classmethod
    def of(cls, path: str | Path, *, write: bool = False) -> _Mount:
        return cls(spelled=Path(path), real=Path(path).resolve(), write=write)

    def below(self, folders: Iterable[Path]) -> bool:
        return any(self.real.is_relative_to(folder) for folder in folders)


@lru_cache(maxsize=1)
def _system() -> tuple[_Mount, ...]:
    found = (_Mount.of(path) for path in (*_SYSTEM, *(f"/etc/{name}" for name in _ETC)))
    return tuple(one for one in found if one.real.exists())


def _declared(sandbox: Sandbox) -> list[_Mount]:
    """Parents before what is in them; where both are asked for, writing is on top."""
    found = [_Mount.of(path) for path in sandbox.read] + [_Mount.of(path, write=True) for path in sandbox.write]
    return sorted(found, key=lambda one: (len(one.real.parts), one.write))


def _hidden(sandbox: Sandbox) -> list[Path]:
    return sorted({Path(path).resolve() for path in sandbox.hidden})


def _distinct(mounts: Iterable[_Mount]) -> list[_Mount]:
    """Leave out what the mount that it would lie on shows in the same way already."""
    kept: list[_Mount] = []
    for one in mounts:
        under = next((other for other in reversed(kept) if one.real.is_relative_to(other.real)), None)
        if under is None or under.write != one.write:
            kept.append(one)
    return kept


def _apart(sandbox: Sandbox) -> tuple[str, ...]:
    network = () if sandbox.network else ("--unshare-net",)
    processes = () if sandbox.processes == "host" else ("--unshare-pid",)
    return (*_APART, *network, *processes)


def _words(mounts: Iterable[_Mount]) -> Iterator[str]:
    """Nothing for what does not exist: the cells see that it does not, and cannot make it."""
    for one in mounts:
        if one.real.exists():
            yield from ("--bind" if one.write else "--ro-bind", str(one.real), str(one.real))


def _links(mounts: Sequence[_Mount]) -> Iterator[str]:
    """A link for each path that was spelled in another way than it is, unless what is mounted has it by itself."""
    places = {one.real for one in mounts}
    for one in sorted(mounts, key=lambda one: len(one.spelled.parts)):
        if one.spelled != one.real and one.real.exists() and places.isdisjoint((one.spelled, *one.spelled.parents)):
            yield from ("--symlink", str(one.real), str(one.spelled))
            places.add(one.spelled)


def _proc(sandbox: Sandbox) -> tuple[str, ...]:
    return ("--ro-bind", "/proc", "/proc") if sandbox.processes == "host" else ("--proc", "/proc")


def _end(shut: Iterable[Path]) -> Iterator[str]:
    """Read-only at last, so that nothing is written into memory that only seems to be the disk.

    And /proc, where root needs no capability to write the machine's own settings.
    """
    for path in (*shut, Path("/proc"), Path("/")):
        yield from ("--remount-ro", str(path))
