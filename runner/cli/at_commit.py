"""Opening a clone to read runbooks at a commit: what `list`, `show` and `form` have in common."""

from __future__ import annotations

from pathlib import Path

from runner.errors import RequestError
from runner.repository.objects import Objects
from runner.repository.repository import Repository


def opened(folder: Path, revision: str) -> tuple[Objects, str]:
    """Open the clone's objects and find the commit to read; no ledger is needed for that, and nothing is fetched.

    Args:
        folder: a folder in the clone.
        revision: what the person wrote; empty means the protected branch as last fetched, else what is checked out.

    Raises:
        RequestError: if there is no such commit.
        OperatorError: if the folder is in no clone.
    """
    repository = Repository.open(folder)
    objects = Objects(repository)
    branch = repository.setting("runbook.branch") or "main"
    commit = objects.resolve(revision) if revision else objects.tip(branch) or objects.resolve("HEAD")
    if commit is None:
        objects.close()
        wrong = "there is no such commit here" if revision else "nothing is committed yet"
        raise RequestError(f"looking at {revision or branch!a}", wrong, hint="git commit, git fetch, or another name")
    return objects, commit
