"""The environment: a lock file beside the runbooks that says which packages its kernel has, each in one version.

Only what pins is accepted, `name==version` with or without hashes, because a lock is approved by its digest: an option,
a URL, a range or a marker would let something else be installed tomorrow under the same digest. It installs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from runner.runbook.spelling import shown

LARGEST = 1024 * 1024
"""Bytes of the largest lock file."""
KERNEL = "ipykernel"
"""The package without which no kernel starts."""

PATH = re.compile(r"(?=.{1,200}\Z)[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*\.(?:lock|txt)")
"""A lock file's path, from the repository's root."""
_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?)==(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]{0,98})"
    r"(?P<hashes>(?:\s+--hash=sha256:[0-9a-f]{64})*)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One pinned package. `name` is normalised, as indexes compare names."""

    name: str
    version: str
    hashed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a lock, and where: `line` counts from 1, 0 for the file as a whole."""

    line: int
    message: str

    def __str__(self) -> str:
        """As people read it."""
        return f"line {self.line}: {self.message}" if self.line else self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock file that was read. With problems it is not to be installed."""

    packages: tuple[Package, ...]
    problems: tuple[Problem, ...]

    @property
    def hashed(self) -> bool:
        """Whether every package has the hashes of its files."""
        return bool(self.packages) and all(package.hashed for package in self.packages)


def read(content: bytes) -> Lock:
    """Read a lock file; everything that is wrong with it is told at once."""
    try:
        text = content.decode() if len(content) <= LARGEST else None
    except UnicodeDecodeError:
        return Lock(packages=(), problems=(Problem(line=0, message="it is not UTF-8 text"),))
    if text is None:
        return Lock(packages=(), problems=(Problem(line=0, message=f"it is larger than {LARGEST} bytes"),))
    packages: dict[str, Package] = {}
    problems: list[Problem] = []
    for line, written in _logical(text):
        pin = _PIN.fullmatch(written)
        if pin is None:
            problems.append(Problem(line=line, message=_why(written)))
            continue
        package = Package(name=normal(pin["name"]), version=pin["version"], hashed=bool(pin["hashes"]))
        if package.name in packages:
            problems.append(Problem(line=line, message=f"{package.name} is there twice"))
        packages[package.name] = package
    problems += _whole(packages, broken=bool(problems))
    return Lock(packages=tuple(packages[name] for name in sorted(packages)), problems=tuple(problems))


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines as pip reads them: comments off, those that end in a backslash joined with the next."""
    joined, first = "", 0
    for number, raw in enumerate(text.splitlines(), start=1):
        line = re.sub(r"(?:^|\s)#.*$", "", raw).strip()
        first = first or number
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        whole = (joined + line).strip()
        if whole:
            yield first, whole
        joined, first = "", 0
    if joined.strip():
        yield first, joined.strip()


def _whole(packages: dict[str, Package], *, broken: bool) -> Iterator[Problem]:
    bare = [package.name for package in packages.values() if not package.hashed]
    if bare and len(bare) < len(packages):
        yield Problem(line=0, message=f"some packages have hashes, and {', '.join(bare[:5])} has none: all or none")
    # With lines that were not understood, nobody can say what is missing.
    if KERNEL not in packages and not broken:
        yield Problem(line=0, message=f"{KERNEL} is not in it, and without it no kernel starts")


def _why(written: str) -> str:
    """Why a line is not accepted, for its author."""
    what = shown(written[:80])
    if written.startswith("-"):
        return f"{what} is an option, and a lock holds packages only"
    if "://" in written or " @ " in written:
        return f"{what} is an address, and what lies there may change; pin a version of the index"
    if ";" in written:
        return f"{what} has a marker; compile the lock for the runner's own Python instead"
    if "[" in written:
        return f"{what} names extras; pin what they bring as packages of their own"
    if "--hash" in written:
        return f"{what} has something else than sha256 hashes in it"
    return f"{what} is not pinned; write name==version"
