"""Files in Git as a proposing runbook sees them: at a commit, plain files alone, and no more than its header opens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from runner.errors import RequestError
from runner.execution import proposing
from runner.plan.proposal import NOT_A_FILE
from runner.repository.objects import Objects
from runner.toolkit import paths

MOST = 2000
LARGEST = 16 * 1024 * 1024
"""Bytes of all files that a run is given."""


def packed(objects: Objects, commit: str, globs: Sequence[str]) -> bytes:
    """The files that globs open, as they travel beside an order; links and submodules are left out.

    Raises:
        RequestError: if they are too many or too large.
    """
    found: dict[str, bytes] = {}
    size = 0
    for path, oid in _opened(objects, commit, globs):
        found[path] = objects.blob(oid)
        size += len(found[path])
        if len(found) > MOST or size > LARGEST:
            wrong = f"`proposes:` opens more than {MOST} files or {LARGEST} bytes"
            raise RequestError("reading the files in Git", wrong, hint="name them more exactly in the header")
    return proposing.pack(found)


def at(objects: Objects, commit: str) -> Callable[[str], bytes | object | None]:
    """Give what is at a path at a commit: bytes, None, or `NOT_A_FILE`, also for what lies behind something else."""

    def now(path: str) -> bytes | object | None:
        parts = path.split("/")
        for length in range(1, len(parts)):
            above = objects.lookup(commit, "/".join(parts[:length]))
            if above is None:
                return None
            if above.kind != "tree":
                return NOT_A_FILE
        entry = objects.lookup(commit, path)
        if entry is None:
            return None
        return objects.blob(entry.oid) if entry.kind == "blob" else NOT_A_FILE

    return now


def _opened(objects: Objects, commit: str, globs: Sequence[str]) -> Iterator[tuple[str, str]]:
    tops = sorted({glob.split("/")[0] for glob in globs})
    for top in tops:
        for path, entry in objects.walk(commit, top):
            if entry.kind == "blob" and any(paths.matches(glob, path) for glob in globs):
                yield path, entry.oid
