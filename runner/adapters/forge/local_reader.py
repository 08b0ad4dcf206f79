"""Finding and reading the issues of the plain-Git forge, each only once as long as it does not change."""

from __future__ import annotations

from datetime import UTC, datetime

from runner.adapters.forge.local_branch import Branch
from runner.adapters.forge.local_entry import ROOT, folder, number
from runner.adapters.forge.local_thread import Read, Trust, read
from runner.digest import Digest
from runner.errors import IntegrityError, RequestError
from runner.ports.forge import Issue, IssueId, PersonId

KEPT = 20_000
"""Issues kept in memory; each holds its comments."""
STRAY = 100

_READ: dict[tuple[str, Digest], Read] = {}
"""What was read, by tree and by whose signatures count; shared by all forges of the process: trees never change."""


class Reader:
    """The issues at a tip of the branch."""

    def __init__(self, branch: Branch, trust: Trust) -> None:
        self._branch = branch
        self._trust = trust

    def last(self, tip: str | None) -> int:
        """The highest number of an issue; 0 where there is none."""
        return max(self._trees(tip), default=0)

    def all(self, tip: str | None) -> list[Issue]:
        """Every issue, oldest first. One that cannot be read is listed as open, with the reason as its title."""
        trees = self._trees(tip)
        listed = []
        for at in range(1, max(trees, default=0) + 1):
            try:
                listed.append(self._read(at, trees.get(at)).thread.issue)
            except IntegrityError as error:
                # Hiding it, or stopping at it, would both be what somebody who damages an issue wants.
                listed.append(_unreadable(at, error))
        return listed

    def one(self, issue: IssueId, tip: str | None) -> Read:
        """One issue.

        Raises:
            RequestError: if there is no such issue.
            IntegrityError: naming the file, if it was tampered with.
        """
        at = _number(issue)
        trees = self._trees(tip)
        if not 0 < at <= max(trees, default=0):
            wrong = f"there is no issue {issue!a}"
            raise RequestError("reading an issue", wrong, hint="see the issues with: runbook issue list --all")
        return self._read(at, trees.get(at))

    def files(self, issue: IssueId, tip: str | None) -> dict[str, bytes]:
        """The files of one issue by name; none where there is no such issue."""
        tree = self._trees(tip).get(_number(issue))
        return {} if tree is None else self._branch.files(tree, folder(_number(issue)))

    def has(self, issue: IssueId, tip: str | None) -> bool:
        """Whether there is, or was, such an issue."""
        return 0 < _number(issue) <= self.last(tip)

    def _trees(self, tip: str | None) -> dict[int, str]:
        folders = [(number(entry.name), entry.oid) for entry in self._branch.folders(tip, ROOT)]
        # A folder with a number far beyond their count was put there by hand, and must not set the next issue's number.
        highest = 2 * len(folders) + STRAY
        return {at: oid for at, oid in folders if at and at <= highest}

    def _read(self, at: int, tree: str | None) -> Read:
        if tree is None:
            hint = f"see who removed it with: git log {self._branch.name} -- {folder(at)}"
            raise IntegrityError(f"reading {folder(at)}", "the issue was removed", hint=hint)
        if wrong := self._branch.damaged(folder(at)):
            hint = f"find out who did; if that was meant, accept it with: {self._branch.accepting}"
            raise IntegrityError(f"reading {folder(at)}", wrong, hint=hint)
        key = (f"{at}:{tree}", self._trust.fingerprint)
        known = _READ.get(key)
        if known is None:
            known = read(at, self._branch.files(tree, folder(at)), trust=self._trust)
            if len(_READ) >= KEPT:
                _READ.clear()
            _READ[key] = known
        return known


def _number(issue: IssueId) -> int:
    return (number(issue.zfill(5)) or 0) if issue.isascii() else 0


def _unreadable(at: int, error: IntegrityError) -> Issue:
    return Issue(
        id=IssueId(str(at)),
        title=f"(cannot be read: {error})",
        author=PersonId(""),
        created=datetime.fromtimestamp(0, UTC),
        open=True,
    )
