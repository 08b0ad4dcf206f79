"""Reading at a commit, through one long-lived `git cat-file --batch`; never from a work tree.

Paths are looked up entry by entry, so that symbolic links and submodules are seen as what they are and never followed.
"""

from __future__ import annotations

import subprocess
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from runner.errors import OutsideError
from runner.repository.process import command, environment
from runner.repository.refs import ref
from runner.repository.repository import Repository

REGULAR = frozenset({0o100644, 0o100755})
SYMLINK = 0o120000
SUBMODULE = 0o160000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a tree. `kind` is `blob`, `tree`, `symlink` or `submodule`."""

    name: str
    mode: int
    oid: str

    @property
    def kind(self) -> str:
        """What the mode means."""
        if self.mode == SYMLINK:
            return "symlink"
        if self.mode == SUBMODULE:
            return "submodule"
        return "blob" if self.mode in REGULAR else "tree"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitObject:
    """A commit, parsed. `signed_payload` is what its SSH signature (`signature`, armoured, or None) covers."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: str
    committer: str
    committed: int
    message: str
    signature: str | None
    signed_payload: bytes


class Objects:
    """A reader of one repository's objects; use it as a context manager, from one thread."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._trees: dict[str, dict[str, Entry]] = {}
        self._process = subprocess.Popen(
            command("cat-file", "--batch"),
            cwd=repository.path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        # Whoever forgets to close a reader must not leave a process behind.
        self._end = weakref.finalize(self, _end, self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._end()

    def get(self, name: str) -> tuple[str, str, bytes] | None:
        """Read any object by id or expression: (id, type, bytes), or None where there is no such object."""
        if "\n" in name or not name:
            return None
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise OutsideError("reading Git objects", "the reader is closed")
        stdin.write(name.encode() + b"\n")
        stdin.flush()
        head = stdout.readline().decode(errors="replace").rstrip("\n")
        parts = head.rsplit(" ", 2)
        if head.endswith((" missing", " ambiguous")):
            return None
        if len(parts) != 3 or not parts[2].isdigit():  # noqa: PLR2004 - id, type and size are three
            raise OutsideError("reading Git objects", "git cat-file ended", hint="check the clone with: git fsck")
        data = stdout.read(int(parts[2]))
        stdout.read(1)
        return parts[0], parts[1], data

    def resolve(self, revision: str) -> str | None:
        """The full id of the commit that a revision names, or None."""
        found = self.get(f"{revision}^{{commit}}")
        return found[0] if found else None

    def tip(self, branch: str) -> str | None:
        """The commit that a branch had when it was last fetched (or has, without a remote), or None."""
        return self.resolve(ref(self.repository, branch))

    def since(self, old: str | None, tip: str, *, most: int = 64) -> list[str] | None:
        """The first-parent commits after `old` up to `tip`, oldest first; None if `old` is not found that near."""
        found: list[str] = []
        at: str | None = tip
        while at is not None and at != old and len(found) < most:
            found.append(at)
            commit = self.commit(at)
            at = commit.parents[0] if commit and commit.parents else None
        return found[::-1] if at == old else None

    def tree(self, oid: str) -> dict[str, Entry]:
        """The entries of a tree by name; an empty mapping for anything else. Kept, since trees are shared a lot."""
        known = self._trees.get(oid)
        if known is not None:
            return known
        found = self.get(oid)
        entries = parse_tree(found[2], width=len(found[0]) // 2) if found and found[1] == "tree" else {}
        if len(self._trees) > 4096:  # noqa: PLR2004 - bounds memory on long histories
            self._trees.clear()
        self._trees[oid] = entries
        return entries

    def lookup(self, commit: str, path: str) -> Entry | None:
        """The entry at a path, never through a link; the root is asked for as an empty path."""
        found = self.get(f"{commit}^{{tree}}")
        if found is None:
            return None
        entry = Entry(name="", mode=0o40000, oid=found[0])
        for part in path.split("/") if path else ():
            if entry.kind != "tree":
                return None
            below = self.tree(entry.oid).get(part)
            if below is None:
                return None
            entry = below
        return entry

    def read(self, commit: str, path: str) -> bytes | None:
        """The bytes of a regular file at a commit, or None (also for links, submodules and folders)."""
        entry = self.lookup(commit, path)
        return self.blob(entry.oid) if entry and entry.kind == "blob" else None

    def blob(self, oid: str) -> bytes:
        """The bytes of a blob by id.

        Raises:
            OutsideError: if the object is missing (a partial or damaged clone).
        """
        found = self.get(oid)
        if found is None:
            raise OutsideError("reading a Git object", f"object {oid[:12]} is missing", hint="check with: git fsck")
        return found[2]

    def entries(self, commit: str, path: str = "") -> tuple[Entry, ...]:
        """The entries of a folder at a commit; none where there is no such folder."""
        entry = self.lookup(commit, path)
        return tuple(self.tree(entry.oid).values()) if entry and entry.kind == "tree" else ()

    def walk(self, commit: str, path: str = "") -> Iterator[tuple[str, Entry]]:
        """Every entry that is not a folder below a path, with its full path, in tree order."""
        top = self.lookup(commit, path)
        pending = [(path, top)] if top else []
        while pending:
            where, entry = pending.pop()
            if entry.kind != "tree":
                yield where, entry
                continue
            below = [(f"{where}/{one.name}" if where else one.name, one) for one in self.tree(entry.oid).values()]
            pending.extend(reversed(below))

    def changed(self, old: str, new: str) -> Iterator[str]:
        """The paths at which two commits differ, in content or in kind."""
        pending = [("", self.lookup(old, ""), self.lookup(new, ""))]
        while pending:
            where, before, after = pending.pop()
            if before == after:
                continue
            here = [self.tree(one.oid) if one and one.kind == "tree" else {} for one in (before, after)]
            leaves = [one for one in (before, after) if one and one.kind != "tree"]
            if leaves:
                yield where
            pending += [
                (f"{where}/{name}" if where else name, here[0].get(name), here[1].get(name))
                for name in here[0].keys() | here[1].keys()
            ]

    def commit(self, oid: str) -> CommitObject | None:
        """Parse a commit, or None where the id names no commit."""
        found = self.get(oid)
        return parse_commit(found[0], found[2]) if found and found[1] == "commit" else None


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    process.wait()


def parse_tree(data: bytes, *, width: int) -> dict[str, Entry]:
    """The entries of a tree object by name; `width` is the length of an id in bytes."""
    entries: dict[str, Entry] = {}
    at = 0
    while at < len(data):
        space = data.index(b" ", at)
        end = data.index(b"\0", space)
        name = data[space + 1 : end].decode(errors="surrogateescape")
        entries[name] = Entry(name=name, mode=int(data[at:space], 8), oid=data[end + 1 : end + 1 + width].hex())
        at = end + 1 + width
    return entries


def parse_commit(oid: str, data: bytes) -> CommitObject:
    """Parse a commit's bytes; `KeyError`, `ValueError` or `IndexError` if they are none."""
    head, _, message = data.partition(b"\n\n")
    fields: dict[str, list[bytes]] = {}
    payload: list[bytes] = []
    key = ""
    for line in head.split(b"\n"):
        if line.startswith(b" "):
            fields[key][-1] += b"\n" + line[1:]
        else:
            key, value = line.split(b" ", 1)[0].decode(), line.split(b" ", 1)[-1]
            fields.setdefault(key, []).append(value)
        if not key.startswith("gpgsig"):
            payload.append(line)
    committer = fields["committer"][0].decode(errors="replace")
    signature = fields.get("gpgsig") or fields.get("gpgsig-sha256")
    return CommitObject(
        oid=oid,
        tree=fields["tree"][0].decode(),
        parents=tuple(parent.decode() for parent in fields.get("parent", ())),
        author=fields["author"][0].decode(errors="replace"),
        committer=committer,
        committed=int(committer.rsplit(" ", 2)[1]),
        message=message.decode(errors="replace"),
        signature=signature[0].decode(errors="replace") if signature else None,
        signed_payload=b"\n".join(payload) + b"\n\n" + message,
    )
