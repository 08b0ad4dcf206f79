"""Sealing: an outcome is complete and durable under its name, or it is absent.

Everything is written and synced under another name first; the rename is the seal. What the files say is decided before.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from runner.errors import OutsideError

NAME = "outcome"
"""The sealed folder in a spool: `outcome.json`, `executed.ipynb`, `artifacts/...`."""
RESERVE = "reserve"
"""A file that only keeps room, given up when the disk is full, so that the end can still be written."""
RESERVE_SIZE = 2 * 1024 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class NoRoomError(OutsideError):
    """There is no room for the outcome, even with the reserve given up."""


def reserve(spool: Path) -> None:
    """Take the room for an honest end before anything is executed.

    Raises:
        OutsideError: if there is not even that much room.
    """
    try:
        with (spool / RESERVE).open("wb") as file:
            file.write(b"\0" * RESERVE_SIZE)
            os.fsync(file.fileno())
    except OSError as error:
        (spool / RESERVE).unlink(missing_ok=True)
        raise OutsideError("reserving room for the outcome", str(error.strerror), hint="free disk space") from error


def is_full(error: OSError) -> bool:
    """Say whether an error means that there is no room."""
    return error.errno in _FULL


def seal(spool: Path, files: Mapping[str, bytes], *, make_room: Callable[[], None]) -> None:
    """Write all files and give them their name.

    Args:
        spool: the work's folder.
        files: path below the outcome to bytes.
        make_room: called once if the disk is full, before the second and last try.

    Raises:
        OutsideError: if it could not be made durable; then there is no outcome (NoRoomError: for lack of room).
    """
    temporary = spool / f"{NAME}.tmp"
    for last in (False, True):
        try:
            _write(temporary, files)
            temporary.rename(spool / NAME)
            sync(spool)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            if last or not is_full(error):
                kind = NoRoomError if is_full(error) else OutsideError
                raise kind("sealing the outcome", str(error.strerror), hint="free disk space") from error
            (spool / RESERVE).unlink(missing_ok=True)
            make_room()
        else:
            (spool / RESERVE).unlink(missing_ok=True)
            return


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    folders = {folder}
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        folders.add(path.parent)
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    for one in folders:
        sync(one)


def sync(folder: Path) -> None:
    """Make a folder's entries durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
