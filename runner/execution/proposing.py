"""Proposals on the worker's side: the files that the cells are given, and what a rehearsal proposes to change.

The files are handed over as the order's digests say; what is proposed is read as plain data from a flat folder, so that
no path in it is ever opened, and scanned for secrets before it leaves the worker: it is pushed for all to see.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from runner.digest import Digest, canonical, parse, sha256
from runner.errors import IntegrityError, RequestError
from runner.execution import scan
from runner.execution.isolation import Room
from runner.execution.order import Order
from runner.execution.redact import Masker
from runner.plan.proposal import LARGEST, MOST
from runner.toolkit import paths

PRESENT, MERGED = "files-present.json", "files-merged.json"
"""What the files are called beside an order: as the plan has them, and as they were merged."""
PROPOSAL = "proposal.json"
"""What a rehearsal's proposal is called beside its outcome."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """Files as they travel beside an order."""
    return canonical({path: base64.b64encode(data).decode() for path, data in files.items()})


def hand(room: Room, spool: Path, order: Order, *, merged: bool = False) -> None:
    """Put the files where the toolkit looks for them, in the place of those that were there.

    Raises:
        IntegrityError: if they are not those that the order names.
    """
    name, digest = (MERGED, order.merged) if merged else (PRESENT, order.present)
    if digest is None:
        return
    for old in room.files.iterdir():
        shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    for path, data in _unpacked(spool / name, digest).items():
        file = room.files / path
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_bytes(data)
        file.chmod(0o400)


def left(room: Room, spool: Path, order: Order, *, masker: Masker) -> dict[str, bytes]:
    """Take what a rehearsal proposes, by the name under which it travels; nothing where the header proposes nothing.

    Raises:
        RequestError: if it holds a secret, or is not what `propose` of the toolkit writes.
    """
    if not order.proposes:
        return {}
    doing = "taking the proposal"
    wanted = dict(_entries(room.proposal, doing))
    public = "\n".join(data.decode("utf-8", "replace") for data in _unpacked(spool / PRESENT, order.present).values())
    texts = {path: text.encode() for path, text in wanted.items() if text is not None}
    for path, found in scan.gate(texts, masker=masker, public=public).items():
        rules = ", ".join(sorted({one.rule for one in found}))
        raise RequestError(doing, f"{path} would hold what looks like a secret ({rules})", hint="name it elsewhere")
    return {PROPOSAL: canonical(wanted)}


def _entries(folder: Path, doing: str) -> Iterator[tuple[str, str | None]]:
    files = sorted(folder.iterdir())
    plain = all(file.is_file() and not file.is_symlink() for file in files)
    if not plain or len(files) > MOST or sum(file.stat().st_size for file in files) > 2 * LARGEST:
        raise RequestError(doing, f"it is more than {MOST} files or too large", hint="use propose(path, text)")
    for file in files:
        try:
            found = json.loads(file.read_bytes())
            path, text = found["path"], found["text"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise RequestError(doing, f"{file.name!a} is none", hint="use propose(path, text)") from None
        if not isinstance(path, str) or paths.fault(path) or not isinstance(text, str | None):
            raise RequestError(doing, f"{path!a} cannot be proposed", hint="use propose(path, text)")
        yield path, text


def _unpacked(file: Path, digest: Digest | None) -> dict[str, bytes]:
    data = file.read_bytes() if file.is_file() else b""
    if digest is None or sha256(data) != digest:
        raise IntegrityError("checking the work order", "the files beside it are not those that it names")
    try:
        found = parse(dict[str, str], data)
        return {path: base64.b64decode(text, validate=True) for path, text in found.items() if not paths.fault(path)}
    except (msgspec.MsgspecError, ValueError) as error:
        raise IntegrityError("checking the work order", "the files beside it cannot be read") from error
