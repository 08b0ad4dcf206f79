"""Files of the plan, on the worker's side: taken from a rehearsal, handed to a run, exactly as their digests say.

They may hold secrets, so they are never part of the evidence: they go back to the supervisor, which keeps them to
itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from runner.digest import Digest, sha256
from runner.errors import IntegrityError, RequestError
from runner.execution.isolation import Room

PREFIX = "plan-file-"
"""What their names begin with where they travel beside an order or an outcome."""
MOST = 32
LARGEST = 256 * 1024 * 1024
"""Bytes of all of them together."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def check(spool: Path, files: Mapping[str, Digest]) -> dict[str, bytes]:
    """Read the files that an order names.

    Raises:
        IntegrityError: if one is missing, or is not the one that was approved.
    """
    found = {}
    for name, digest in files.items():
        path = spool / f"{PREFIX}{name}"
        data = path.read_bytes() if _NAME.fullmatch(name) and path.is_file() else b""
        if sha256(data) != digest:
            raise IntegrityError(
                "checking the work order", f"{name}, which the rehearsal left, is not the approved file"
            )
        found[name] = data
    return found


def hand(room: Room, files: Mapping[str, bytes]) -> None:
    """Put the approved files where the toolkit looks for them, to be read only."""
    for name, data in files.items():
        path = room.plan_files / name
        path.write_bytes(data)
        path.chmod(0o400)


def left(room: Room) -> dict[str, bytes]:
    """Take what a rehearsal left for the run, by the name under which it travels.

    Raises:
        RequestError: if it is too much, or not plain files.
    """
    doing = "taking the files of the plan"
    found: dict[str, bytes] = {}
    for path in sorted(room.plan_files.iterdir()):
        if path.is_symlink() or not path.is_file() or not _NAME.fullmatch(path.name):
            raise RequestError(doing, f"{path.name!a} is not a plain file", hint="use keep(name, path) of the toolkit")
        found[f"{PREFIX}{path.name}"] = path.read_bytes()
    if len(found) > MOST or sum(map(len, found.values())) > LARGEST:
        raise RequestError(doing, f"more than {MOST} files or {LARGEST} bytes", hint="keep what the change cell needs")
    return found
