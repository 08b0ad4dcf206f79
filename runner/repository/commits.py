"""Writing a commit without a work tree or an index: one small pack, fed to one `git unpack-objects`.

Trees are rebuilt only along the changed paths, so the cost does not grow with the history. Nothing is visible until a
branch is moved (`refs`), so a killed writer leaves only objects that nobody names.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from runner.errors import OutsideError
from runner.repository.objects import Entry, Objects
from runner.repository.process import GitError, git

_TYPES = {"commit": 1, "tree": 2, "blob": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who a commit is by, and when."""

    name: str
    email: str
    when: datetime

    def line(self) -> str:
        """As Git writes it; characters that would end the field are dropped."""
        name, email = (self._clean(text) for text in (self.name, self.email))
        return f"{name} <{email}> {int(self.when.timestamp())} +0000"

    @staticmethod
    def _clean(text: str) -> str:
        return "".join(one for one in text if one not in "<>\n\0").strip() or "unknown"


class _Pack:
    """The objects of one commit, in memory, with the ids that Git will give them."""

    def __init__(self, object_format: str) -> None:
        self.format = object_format
        self.objects: dict[str, tuple[str, bytes]] = {}

    def add(self, kind: str, data: bytes) -> str:
        oid = hashlib.new(self.format, f"{kind} {len(data)}\0".encode() + data).hexdigest()
        self.objects[oid] = (kind, data)
        return oid

    def to_bytes(self) -> bytes:
        parts = [b"PACK" + struct.pack(">II", 2, len(self.objects))]
        for kind, data in self.objects.values():
            parts += [_size_header(_TYPES[kind], len(data)), zlib.compress(data, 1)]
        body = b"".join(parts)
        return body + hashlib.new(self.format, body).digest()


def write(
    objects: Objects,
    files: Mapping[str, bytes],
    *,
    parent: str | None,
    message: str,
    author: Author,
    sign: Callable[[bytes], str] | None,
) -> str:
    """Write a commit that adds or replaces files on top of its parent, and return its id. No branch moves.

    Args:
        objects: a reader of the repository.
        files: path to bytes, relative to the root.
        parent: the commit to build on; None makes a root commit.
        message: the commit message with its trailers.
        author: author and committer.
        sign: makes the armoured SSH signature over the commit's bytes; None leaves it unsigned.

    Raises:
        OutsideError: if the objects could not be written (disk full, read-only clone).
    """
    pack = _Pack(objects.repository.object_format)
    base = objects.lookup(parent, "") if parent else None
    tree = _tree(objects, pack, base=base.oid if base else None, files=dict(files))
    lines = [f"tree {tree}", *([f"parent {parent}"] if parent else []), f"author {author.line()}"]
    head = "\n".join([*lines, f"committer {author.line()}"])
    payload = f"{head}\n\n{message}".encode()
    if sign:
        field = "gpgsig" if pack.format == "sha1" else "gpgsig-sha256"
        head += f"\n{field} " + sign(payload).strip().replace("\n", "\n ")
        payload = f"{head}\n\n{message}".encode()
    commit = pack.add("commit", payload)
    try:
        git(["unpack-objects", "-q"], cwd=objects.repository.path, stdin=pack.to_bytes(), doing="writing a commit")
    except GitError as error:
        hint = "make room on the disk, or check that the clone may be written to"
        raise OutsideError("writing a commit", error.wrong, hint=hint) from error
    return commit


def _tree(objects: Objects, pack: _Pack, *, base: str | None, files: dict[str, bytes]) -> str:
    entries = dict(objects.tree(base)) if base else {}
    below: dict[str, dict[str, bytes]] = {}
    for path, data in files.items():
        first, _, rest = path.partition("/")
        if rest:
            below.setdefault(first, {})[rest] = data
        else:
            entries[first] = Entry(name=first, mode=0o100644, oid=pack.add("blob", data))
    for name, inside in below.items():
        old = entries.get(name)
        oid = _tree(objects, pack, base=old.oid if old and old.kind == "tree" else None, files=inside)
        entries[name] = Entry(name=name, mode=0o40000, oid=oid)
    ordered = sorted(entries.values(), key=lambda one: one.name + ("/" if one.kind == "tree" else ""))
    return pack.add("tree", b"".join(_line(one) for one in ordered))


def _line(entry: Entry) -> bytes:
    name = entry.name.encode(errors="surrogateescape")
    return f"{entry.mode:o} ".encode() + name + b"\0" + bytes.fromhex(entry.oid)


def _size_header(kind: int, size: int) -> bytes:
    first, size = (kind << 4) | (size & 15), size >> 4
    out = bytearray()
    while size:
        out.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    out.append(first)
    return bytes(out)
