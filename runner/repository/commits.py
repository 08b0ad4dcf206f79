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
from runner.repository.objects import Entry, Objects, parse_tree
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


class Pack:
    """Commits that are written together: their objects in memory, with the ids that Git will give them.

    A later commit may build on an earlier one of the same pack. Nothing is in the repository before `write`.
    """

    def __init__(self, objects: Objects) -> None:
        self._reader = objects
        self._format = objects.repository.object_format
        self._objects: dict[str, tuple[str, bytes]] = {}

    def commit(
        self,
        files: Mapping[str, bytes | None],
        *,
        parent: str | None,
        message: str,
        author: Author,
        sign: Callable[[bytes], str] | None,
    ) -> str:
        """Make a commit that adds, replaces or removes files on top of its parent, and return its id.

        Args:
            files: path to bytes, relative to the root; None removes the file. A file that is there keeps its mode.
            parent: the commit to build on, in the repository or in this pack; None makes a root commit.
            message: the commit message with its trailers.
            author: author and committer.
            sign: makes the armoured SSH signature over the commit's bytes; None leaves it unsigned.
        """
        tree = self._tree(self._tree_of(parent) if parent else None, dict(files))
        lines = [f"tree {tree}", *([f"parent {parent}"] if parent else []), f"author {author.line()}"]
        head = "\n".join([*lines, f"committer {author.line()}"])
        payload = f"{head}\n\n{message}".encode()
        if sign:
            field = "gpgsig" if self._format == "sha1" else "gpgsig-sha256"
            head += f"\n{field} " + sign(payload).strip().replace("\n", "\n ")
            payload = f"{head}\n\n{message}".encode()
        return self._add("commit", payload)

    def write(self) -> None:
        """Put every object into the repository. No branch moves.

        Raises:
            OutsideError: if they could not be written (disk full, read-only clone).
        """
        parts = [b"PACK" + struct.pack(">II", 2, len(self._objects))]
        for kind, data in self._objects.values():
            parts += [_size_header(_TYPES[kind], len(data)), zlib.compress(data, 1)]
        body = b"".join(parts)
        pack = body + hashlib.new(self._format, body).digest()
        try:
            git(["unpack-objects", "-q"], cwd=self._reader.repository.path, stdin=pack, doing="writing a commit")
        except GitError as error:
            hint = "make room on the disk, or check that the clone may be written to"
            raise OutsideError("writing a commit", error.wrong, hint=hint) from error

    def _add(self, kind: str, data: bytes) -> str:
        oid = hashlib.new(self._format, f"{kind} {len(data)}\0".encode() + data).hexdigest()
        self._objects[oid] = (kind, data)
        return oid

    def _tree_of(self, commit: str) -> str | None:
        if commit in self._objects:
            return self._objects[commit][1].split(b"\n", 1)[0].removeprefix(b"tree ").decode()
        base = self._reader.lookup(commit, "")
        return base.oid if base else None

    def _entries(self, tree: str) -> dict[str, Entry]:
        if tree in self._objects:
            return parse_tree(self._objects[tree][1], width=len(tree) // 2)
        return dict(self._reader.tree(tree))

    def _tree(self, base: str | None, files: dict[str, bytes | None]) -> str:
        entries = self._entries(base) if base else {}
        below: dict[str, dict[str, bytes | None]] = {}
        for path, data in files.items():
            first, _, rest = path.partition("/")
            if rest:
                below.setdefault(first, {})[rest] = data
            elif data is None:
                entries.pop(first, None)
            else:
                old = entries.get(first)
                mode = old.mode if old and old.kind == "blob" else 0o100644
                entries[first] = Entry(name=first, mode=mode, oid=self._add("blob", data))
        for name, inside in below.items():
            old = entries.get(name)
            oid = self._tree(old.oid if old and old.kind == "tree" else None, inside)
            if not self._objects[oid][1]:  # Git keeps no empty folders
                entries.pop(name, None)
            else:
                entries[name] = Entry(name=name, mode=0o40000, oid=oid)
        ordered = sorted(entries.values(), key=lambda one: one.name + ("/" if one.kind == "tree" else ""))
        return self._add("tree", b"".join(_line(one) for one in ordered))


def write(
    objects: Objects,
    files: Mapping[str, bytes | None],
    *,
    parent: str | None,
    message: str,
    author: Author,
    sign: Callable[[bytes], str] | None,
) -> str:
    """Write one commit by itself, and return its id; the arguments are those of `Pack.commit`.

    Raises:
        OutsideError: if the objects could not be written (disk full, read-only clone).
    """
    pack = Pack(objects)
    commit = pack.commit(files, parent=parent, message=message, author=author, sign=sign)
    pack.write()
    return commit


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
