"""What this machine notes of work that it gave to somebody else: the order, whose job it is, and how that ended.

One folder for each piece of work. Everything in it is durable before anything depends on it, and what came back is kept
as the one file that it came as: nothing of it is unpacked onto this disk.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from runner.digest import Digest, W, Wire, parse, sha256
from runner.ports.pipeline import ORDER, name_of

READY, GIVEN, ENDED = "ready", "given.json", "ended.json"
RESULT, FORGOTTEN = "result", "forgotten"
"""Files of a folder beside those of the work: it is complete; who has it; how it ended; what came back; it is over."""


class Given(Wire):
    """Who has the order. `commit` is what the work's branch holds."""

    project: int
    pipeline: int
    job: int
    commit: str
    cancelled: bool = False


class Ended(Wire):
    """How it ended: with a `result` that is believed, or without one, and `why`."""

    result: bool
    why: str = ""
    nothing_ran: bool = False
    """GitLab ended it before a runner had it: there is an outcome without any cell."""
    cancelled: bool = False


class Errand:
    """One piece of work.

    Args:
        folder: its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def there(self) -> bool:
        """Whether the work is complete here."""
        return (self.folder / READY).exists() and not (self.folder / FORGOTTEN).exists()

    @property
    def key(self) -> str:
        """The executor's name for it."""
        return (self.folder / "key").read_text(encoding="utf-8")

    @property
    def order(self) -> Digest:
        """The digest of the signed order."""
        return sha256((self.folder / ORDER).read_bytes())

    def files(self) -> dict[str, bytes]:
        """What was, or is to be, sent."""
        apart = {READY, GIVEN, ENDED, RESULT, FORGOTTEN, "key"}
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir()) if path.name not in apart}

    def keep(self, key: str, files: Mapping[str, bytes]) -> None:
        """Make the work durable."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, data in {**files, "key": key.encode(), READY: b""}.items():
            self._write(name, data)

    @property
    def given(self) -> Given | None:
        """Who has it; None if nobody."""
        return self._read(GIVEN, Given)

    def give(self, given: Given) -> None:
        """Note who has it."""
        self._write(GIVEN, msgspec.json.encode(given))

    @property
    def ended(self) -> Ended | None:
        """How it ended; None if it did not, as far as is known here."""
        return self._read(ENDED, Ended)

    def end(self, ended: Ended, *, result: bytes = b"") -> None:
        """Note how it ended: what came back first, so that what is noted is there."""
        if ended.result:
            self._write(RESULT, result)
        self._write(ENDED, msgspec.json.encode(ended))

    @property
    def result(self) -> bytes:
        """What came back."""
        return (self.folder / RESULT).read_bytes()

    def forget(self) -> None:
        """Note that it is over, while something of it is still to be removed elsewhere."""
        self._write(FORGOTTEN, b"")

    def remove(self) -> None:
        """Forget it: the mark of completeness first, so that what is left of it is nothing."""
        (self.folder / READY).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self, name: str, kind: type[W]) -> W | None:
        path = self.folder / name
        return parse(kind, path.read_bytes()) if self.there and path.exists() else None

    def _write(self, name: str, data: bytes) -> None:
        """Let a file appear whole and durable."""
        new = self.folder / f"{name}.new"
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 - a mode from the first moment on
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.rename(self.folder / name)
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def at(root: Path, key: str) -> Errand:
    """The folder of one piece of work; its name is a digest, so that no key can point elsewhere."""
    return Errand(root / name_of(key))


def all_at(root: Path) -> tuple[Errand, ...]:
    """Every piece of work that is noted, also what was forgotten and is not gone yet."""
    found = (Errand(path) for path in sorted(root.iterdir())) if root.is_dir() else iter(())
    return tuple(one for one in found if (one.folder / READY).exists())
