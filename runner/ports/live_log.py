"""The live log's files: written by a worker, read by whoever follows it, bounded whatever a cell prints.

It crosses between a worker and an executor that may know each other only through files. A file is named by the place
of its first byte in the whole log, so a reader who remembers a place goes on from there, or from the oldest byte that
is still kept. It is for people who watch: nothing of it is durable, nothing is evidence, and losing it loses nothing.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

NAME = "live"
"""The folder in a spool that holds it."""
SEGMENT = 256 * 1024
"""Bytes from which a new file is begun."""
KEPT = 4
"""Files that are kept: older ones are removed."""


class LiveLog:
    """Writes one log, in entries of one line each.

    Args:
        folder: made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begin = self._end = 0
        self._file: int | None = None
        self._broken = False

    def append(self, entry: bytes) -> None:
        """Add an entry, which ends with the only newline in it. A full disk ends the log and nothing else."""
        if self._broken:
            return
        try:
            self._append(entry)
        except OSError:
            self._broken = True

    def _append(self, entry: bytes) -> None:
        if self._file is None or self._end - self._begin >= SEGMENT:
            self._file = self._next()
        self._end += os.write(self._file, entry)

    def _next(self) -> int:
        """Begin a new file, and keep no more of them than the bound."""
        self.close()
        self._begin = self._end
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / f"{self._begin:012d}"
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        for _, old in list(_segments(self._folder))[:-KEPT]:
            old.unlink(missing_ok=True)
        return opened

    def close(self) -> None:
        """Write no more."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def read(folder: Path, since: int) -> tuple[bytes, int]:
    """Return what was logged from a place on, and the place from which to ask next.

    Args:
        folder: where a log is written; it need not be there yet.
        since: 0, or what the last call returned.
    """
    found, place = b"", since
    for begin, path in _segments(folder):
        # One that is removed meanwhile is older than all that is kept.
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            file.seek(max(0, place - begin))
            data = file.read()
            # An entry that is being written is whole the next time.
            data = data[: data.rfind(b"\n") + 1]
            found += data
            place = max(place, begin) + len(data)
    return found, place


def _segments(folder: Path) -> Iterator[tuple[int, Path]]:
    """Each file with the place of its first byte, oldest first."""
    paths = sorted(path for path in folder.iterdir() if path.name.isdigit()) if folder.is_dir() else []
    yield from ((int(path.name), path) for path in paths)
