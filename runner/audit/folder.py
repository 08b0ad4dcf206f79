"""Reading evidence from a plain folder of files: no commits, so no history, but every byte that events name.

Links are never followed: a path that leaves the folder is as good as missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from runner.audit.page import File, Page, number_of
from runner.digest import parse, sha256
from runner.errors import IntegrityError, OutsideError
from runner.ledger.envelope import unchecked_payload
from runner.ledger.event import ROOT, Statement


def holds_evidence(place: Path) -> bool:
    """Whether a folder is an evidence root, or holds one."""
    return (place / "ledger").is_dir() or (place / "outputs" / "ledger").is_dir()


def pages(place: Path) -> Iterator[Page]:
    """One page for each event by its number, with the files that it names; at last one with what nobody names.

    Raises:
        OutsideError: if there is no event at all.
    """
    root = place / "outputs" if (place / "outputs" / "ledger").is_dir() else place
    paths = sorted(_walk(root), key=lambda path: (not path.startswith(f"{ROOT}ledger/"), path))
    events = [path for path in paths if number_of(path) is not None]
    if not events:
        raise OutsideError(f"opening the evidence {place}", "there is no ledger event in it")
    left = {path for path in paths if path.startswith(f"{ROOT}runs/")}
    for path in events:
        envelope = _file(root, path)
        named = {f"{ROOT}{name}" for name in _names(envelope.data or b"")}
        found = tuple(_file(root, one) for one in sorted(named & left))
        left -= named if _adds(envelope.data or b"") else set()
        kept = found if _adds(envelope.data or b"") else ()
        yield Page(commit=None, changes=(), files=(envelope, *kept))
    if left:
        yield Page(commit=None, changes=(), files=tuple(_file(root, one) for one in sorted(left)))


def _walk(root: Path) -> Iterator[str]:
    for folder, _, names in os.walk(root, followlinks=False):
        for name in names:
            yield f"{ROOT}{(Path(folder) / name).relative_to(root).as_posix()}"


def _file(root: Path, path: str) -> File:
    place = root / path.removeprefix(ROOT)
    try:
        data = b"" if place.is_symlink() else place.read_bytes()
    except OSError as error:
        raise OutsideError(f"reading {place}", error.strerror or "it cannot be read") from error
    return File(path=path, sha256=sha256(data), data=data)


def _statement(data: bytes) -> Statement | None:
    try:
        return parse(Statement, unchecked_payload(data))
    except (IntegrityError, msgspec.MsgspecError):
        return None


def _names(data: bytes) -> tuple[str, ...]:
    statement = _statement(data)
    return tuple(one.name for one in statement.subject) if statement else ()


def _adds(data: bytes) -> bool:
    """Whether this type of event comes with files, as `checks/files.py` has it."""
    statement = _statement(data)
    return statement is not None and statement.predicate.type in {"plan", "finish", "late", "witness"}
