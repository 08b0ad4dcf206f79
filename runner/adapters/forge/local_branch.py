"""The branch on which the plain-Git forge keeps its issues: reading it as it is now, and adding to it.

An append is fetch, build on the tip, push without force; when somebody was first, it is built again. The branch only
grows: a tip that is no longer on top of what this clone saw before was rewritten, and that stops everything; files that
were changed or removed since are `damaged`, and only what is in them stops. What files mean is not known here.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runner.errors import IntegrityError, OutsideError
from runner.repository import commits, refs
from runner.repository.commits import Author
from runner.repository.objects import Entry, Objects
from runner.repository.process import GitError, git

ATTEMPTS = 100
FRESH = 1.0
"""Seconds for which a fetch is good enough for the reads that follow it: a loop over issues asks the remote once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """Files to add in one commit, and its message."""

    files: Mapping[str, bytes]
    message: str


class Branch:
    """An append-only branch.

    Args:
        objects: a reader of the clone.
        name: the branch.
        clock: seconds that never jump back, for `FRESH`.
        pause: waits some seconds before the next attempt.
        fetched: whether the branch was fetched just now.
    """

    def __init__(
        self,
        objects: Objects,
        name: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        fetched: bool = False,
    ) -> None:
        self.objects = objects
        self.name = name
        self._clock = clock
        self._pause = pause
        self._fetched: float | None = clock() if fetched else None
        self._checked: str | None = None
        self._damaged: tuple[str, ...] = ()

    def tip(self, *, fresh: float = FRESH) -> str | None:
        """The newest commit, or None where the branch does not exist yet.

        Args:
            fresh: how many seconds old the answer may be.

        Raises:
            OutsideError: if the remote does not answer.
            IntegrityError: if the branch was rewritten.
        """
        now = self._clock()
        if self._fetched is None or now - self._fetched >= fresh:
            refs.fetch(self.objects.repository, self.name)
            self._fetched = now
        tip = self.objects.tip(self.name)
        self._check_growth(tip)
        return tip

    def folders(self, tip: str | None, path: str) -> tuple[Entry, ...]:
        """The folders below a path."""
        entries = self.objects.entries(tip, path) if tip else ()
        return tuple(entry for entry in entries if entry.kind == "tree")

    def files(self, tree: str, path: str) -> dict[str, bytes]:
        """The files of a folder by name, given its tree.

        Raises:
            IntegrityError: if anything in it is not a regular file.
        """
        found: dict[str, bytes] = {}
        for name, entry in self.objects.tree(tree).items():
            if entry.kind != "blob":
                hint = f"see who put it there with: git log {self.name} -- {path}"
                raise IntegrityError(f"reading {path}/{name}", f"it is a {entry.kind}, not a file", hint=hint)
            found[name] = self.objects.blob(entry.oid)
        return found

    def append(self, build: Callable[[str | None], Addition | None], *, author: Callable[[], Author]) -> str | None:
        """Add files in one commit, whoever else adds at the same time.

        Args:
            build: gives what to add on top of a tip, or None for nothing; it is called again after a lost race.
            author: who commits, and when.

        Returns:
            The commit, or None if there was nothing to add.

        Raises:
            OutsideError: if the remote is away; then nothing was written, as far as can be known.
        """
        for attempt in range(ATTEMPTS):
            # What was fetched a moment ago is good enough to build on: if somebody was first, the push says so.
            tip = self.tip(fresh=0.0 if attempt else FRESH)
            addition = build(tip)
            if addition is None:
                return None
            commit = commits.write(
                self.objects, addition.files, parent=tip, message=addition.message, author=author(), sign=None
            )
            if self._publish(commit, tip):
                self._grown(commit)
                return commit
            # Full jitter: equal waits would let the same writers collide again.
            self._pause(random.uniform(0, min(1.0, 0.01 * 2 ** min(attempt, 10))))  # noqa: S311 - spreading, not secrecy
        hint = "try again when fewer are writing"
        raise OutsideError(f"writing to the branch {self.name}", f"{ATTEMPTS} attempts came second", hint=hint)

    def _publish(self, commit: str, tip: str | None) -> bool:
        """Push; when the answer is lost, look whether the commit arrived."""
        try:
            return refs.publish(self.objects.repository, commit, self.name, expected=tip)
        except OutsideError:
            arrived = self._arrived(commit)
            if not arrived:
                raise
            return True

    def _arrived(self, commit: str) -> bool:
        try:
            refs.fetch(self.objects.repository, self.name)
        except OutsideError:
            return False
        tip = self.objects.tip(self.name)
        return tip is not None and refs.is_ancestor(self.objects.repository, commit, tip)

    def damaged(self, path: str) -> str:
        """Say what is wrong with the files below a path since this clone saw them first; empty for nothing."""
        files = [name for name in self._damaged if name.startswith(f"{path}/")]
        named = ", ".join(re.sub(r"[^\x20-\x7e]", "?", name) for name in files[:3])
        return f"changed or removed, and it never may be: {named}" if files else ""

    @property
    def accepting(self) -> str:
        """The command with which somebody accepts the branch as it is now."""
        return f"git update-ref -d {self._keeping}"

    def _grown(self, commit: str) -> None:
        """Note our own addition: it was built on a tip that was checked, and only adds."""
        self._checked = commit
        if not self._damaged:
            self._keep(commit)

    def _check_growth(self, tip: str | None) -> None:
        """Refuse a tip that does not contain what this clone saw last; note the files that were changed since."""
        if tip == self._checked:
            return
        seen = self._kept()
        self._damaged = self._changed(seen, tip) if seen and tip != seen else ()
        self._checked = tip
        if not tip or self._damaged:
            return
        if tip != seen:
            self._keep(tip)

    def _keep(self, tip: str) -> None:
        try:
            git(["update-ref", self._keeping, tip], cwd=self.objects.repository.path)
        except GitError:
            # A clone that may only be read still answers; it just cannot remember what it saw.
            return

    def _changed(self, seen: str, tip: str | None) -> tuple[str, ...]:
        near = tip is not None and self.objects.since(seen, tip) is not None
        if tip is None or not (near or refs.is_ancestor(self.objects.repository, seen, tip)):
            wrong = f"it no longer contains {seen[:12]}, which it had before: it was rewritten"
            hint = f"find out who rewrote it; if that was meant, accept it with: {self.accepting}"
            raise IntegrityError(f"reading the branch {self.name}", wrong, hint=hint)
        changed = git(
            ["diff-tree", "-r", "-z", "--no-renames", "--diff-filter=MDT", "--name-only", seen, tip],
            cwd=self.objects.repository.path,
        )
        return tuple(changed.decode(errors="replace").split("\0")[:-1])

    @property
    def _keeping(self) -> str:
        return f"refs/runbook/seen/{self.name}"

    def _kept(self) -> str | None:
        return self.objects.resolve(self._keeping)
