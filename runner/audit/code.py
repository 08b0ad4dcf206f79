"""The code branch as the audit sees it: reviewed runbooks, policy and people, each at a commit.

A clone of the evidence alone has none of it; then whatever needs it is "not checked", never "clean".
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from runner.approval import policy as policy_file
from runner.approval.rules import Policy
from runner.digest import Digest, sha256
from runner.errors import OperatorError
from runner.repository.objects import Objects
from runner.repository.people import People, allowed_signers
from runner.repository.process import git

SIGNERS = "runbooks/allowed_signers"
KEPT = 64
"""Parsed files of each kind that are kept."""
T = TypeVar("T")


class Code:
    """The code branch of one clone, up to its tip."""

    def __init__(self, objects: Objects, tip: str) -> None:
        self._objects = objects
        self.tip = tip
        self._ancestors: frozenset[bytes] | None = None
        self._blobs: OrderedDict[tuple[str, str], str | None] = OrderedDict()
        self._digests: OrderedDict[tuple[str, str], Digest | None] = OrderedDict()
        self._dates: OrderedDict[str, int | None] = OrderedDict()
        self._policies: OrderedDict[str, Policy | None] = OrderedDict()
        self._people: OrderedDict[str, People | None] = OrderedDict()

    def reviewed(self, commit: str) -> bool:
        """Whether a commit is on the code branch."""
        if self._ancestors is None:
            out = git(["rev-list", self.tip, "--"], cwd=self._objects.repository.path, timeout=600)
            self._ancestors = frozenset(bytes.fromhex(line.decode()) for line in out.split())
        try:
            return bytes.fromhex(commit) in self._ancestors
        except ValueError:
            return False

    def blob(self, commit: str, path: str) -> str | None:
        """The id of a regular file at a commit, or None."""

        def look() -> str | None:
            entry = self._objects.lookup(commit, path)
            return entry.oid if entry and entry.kind == "blob" else None

        return _kept(self._blobs, (commit, path), look, most=4096)

    def read(self, commit: str, path: str) -> bytes | None:
        """The bytes of a regular file at a commit, or None."""
        return self._objects.read(commit, path)

    def sha256(self, commit: str, path: str) -> Digest | None:
        """The digest of a regular file at a commit, or None."""

        def look() -> Digest | None:
            data = self.read(commit, path)
            return None if data is None else sha256(data)

        return _kept(self._digests, (commit, path), look, most=4096)

    def changed(self, commit: str) -> set[str]:
        """The paths at which a commit differs from its first parent."""
        found = self._objects.commit(commit)
        return set(self._objects.changed(found.parents[0], commit)) if found and found.parents else set()

    def payload(self, commit: str) -> bytes | None:
        """What a commit's signature covers, or None where there is no such commit."""
        found = self._objects.commit(commit)
        return found.signed_payload if found else None

    def committed(self, commit: str) -> int | None:
        """A commit's own date in seconds since 1970, or None where there is no such commit."""

        def look() -> int | None:
            found = self._objects.commit(commit)
            return found.committed if found else None

        return _kept(self._dates, commit, look, most=4096)

    def policy(self, commit: str) -> Policy | None:
        """The policy at a commit; None where there is none that can be read."""
        oid = self.blob(commit, policy_file.PATH)
        return _kept(self._policies, oid, lambda: _policy(self._objects.blob(oid))) if oid else None

    def people(self, commit: str) -> People | None:
        """The people and their keys at a commit; None where there is no such file that can be read."""
        oid = self.blob(commit, SIGNERS)
        return _kept(self._people, oid, lambda: _people(self._objects.blob(oid))) if oid else None

    def is_before(self, old: str, new: str) -> bool:
        """Whether one commit is in the history of another."""
        from runner.repository.refs import is_ancestor

        return is_ancestor(self._objects.repository, old, new)


K = TypeVar("K")


def _kept(table: OrderedDict[K, T], key: K, make: Callable[[], T], *, most: int = KEPT) -> T:
    if key not in table:
        table[key] = make()
        if len(table) > most:
            table.popitem(last=False)
    return table[key]


def _policy(data: bytes) -> Policy | None:
    try:
        return policy_file.read(data.decode())
    except (OperatorError, UnicodeDecodeError):
        return None


def _people(data: bytes) -> People | None:
    try:
        return allowed_signers(data.decode())
    except (OperatorError, UnicodeDecodeError):
        return None
