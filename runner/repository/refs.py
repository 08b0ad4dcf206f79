"""Branches: where they are, fetching them, and moving one by compare-and-swap, never by force.

A push that is rejected because somebody was first is an answer, not an error; a remote that does not answer is one.
With no remote the clone's own branch is the one that moves, by `update-ref NEW OLD`.
"""

from __future__ import annotations

import re

from runner.errors import OperatorError, OutsideError
from runner.repository.process import GitError, git
from runner.repository.repository import Repository

_FIRST = re.compile(
    r"fetch first|non-fast-forward|cannot lock ref|failed to update ref|is at .* but expected"
    r"|stale info|reference already exists"
)
_REFUSED = re.compile(
    r"remote rejected|protected|denied|permission|not allowed|hook declined|unable to create|read-only", re.IGNORECASE
)

_NO_ROOM = re.compile(r"unpacker error|no space left", re.IGNORECASE)
"""The remote took the push and could not keep it: that is nobody's right, but trouble that passes."""

_UNKNOWN = re.compile(r"could not read (?:Username|Password)|Authentication failed|Permission denied|error: 40[13]")
"""The remote does not know who is asking."""


def ref(repository: Repository, branch: str) -> str:
    """The local name under which a branch is kept: the remote-tracking ref, or the branch itself without a remote."""
    return f"refs/remotes/{repository.remote}/{branch}" if repository.remote else f"refs/heads/{branch}"


class LockedOutError(OutsideError):
    """The remote does not take our credentials. Who only reads goes on without it; the operator has to end it."""

    exit_code = 6


def tip(repository: Repository, branch: str) -> str | None:
    """The commit that a branch had when it was last fetched (or has, without a remote); None where there is none."""
    try:
        out = git(["rev-parse", "--verify", "--quiet", f"{ref(repository, branch)}^{{commit}}"], cwd=repository.path)
    except GitError:
        return None
    return out.decode().strip()


def fetch(repository: Repository, *branches: str) -> None:
    """Bring branches up to date with the remote; a branch that the remote does not have is left out. No-op without one.

    Raises:
        OutsideError: if the remote does not answer.
    """
    if repository.remote is None:
        return
    wanted = [f"+refs/heads/{branch}:{ref(repository, branch)}" for branch in branches]
    try:
        try:
            _fetch(repository, wanted)
        except GitError as error:
            if "couldn't find remote ref" not in error.stderr:
                raise
            there = heads(repository)
            present = [spec for branch, spec in zip(branches, wanted, strict=True) if branch in there]
            if present:
                _fetch(repository, present)
    except GitError as error:
        raise _away("fetching from the remote", error) from error


def fetch_commit(repository: Repository, commit: str) -> bool:
    """Bring one commit here by its id, whatever branch has or had it; False if the remote does not give it.

    Raises:
        OutsideError: if the remote does not answer.
    """
    if repository.remote is None:
        return False
    try:
        _fetch(repository, [commit])
    except GitError as error:
        if re.search(
            r"not our ref|couldn't find remote ref|unadvertised|no such remote ref", error.stderr, re.IGNORECASE
        ):
            return False
        raise _away("fetching from the remote", error) from error
    return True


def heads(repository: Repository, pattern: str = "*") -> dict[str, str]:
    """Branch names and commits on the remote right now (the clone's own without a remote).

    Raises:
        OutsideError: if the remote does not answer.
    """
    where = repository.remote or "."
    args = ["ls-remote", "--heads", "--end-of-options", where, f"refs/heads/{pattern}"]
    try:
        out = git(args, cwd=repository.path, doing="asking the remote for its branches").decode()
    except GitError as error:
        raise _away(error.doing, error) from error
    pairs = (line.split("\t", 1) for line in out.splitlines())
    return {name.removeprefix("refs/heads/"): oid for oid, name in pairs}


def publish(repository: Repository, commit: str, branch: str, *, expected: str | None) -> bool:
    """Move a branch to a commit that was built on `expected`, unless somebody else moved it first.

    Returns:
        True if the branch now holds the commit, False if somebody was first: fetch, and build again.

    Raises:
        OutsideError: if the remote does not answer; whether the push arrived is then unknown, and only a fetch tells.
        OperatorError: if the remote refuses on principle (protection, rights).
    """
    if repository.remote is None:
        return _move(repository, commit, branch, expected=expected)
    args = ["push", "--quiet", *_skip_ci(repository), repository.remote, f"{commit}:refs/heads/{branch}"]
    try:
        _push(repository, args)
    except GitError as error:
        if _FIRST.search(error.stderr):
            return False
        if _NO_ROOM.search(error.stderr):
            hint = "the remote could not store it: make room on its disk, or check that it may be written to; try again"
            raise OutsideError(f"pushing to {branch}", error.wrong, hint=hint) from error
        if _REFUSED.search(error.stderr):
            hint = f"the account that runs this needs the right to push to {branch}; see `runbook init`"
            raise OperatorError(f"pushing to {branch}", error.wrong, hint=hint) from error
        raise _away(f"pushing to {branch}", error) from error
    if not repository.tracks_everything:
        git(["update-ref", ref(repository, branch), commit], cwd=repository.path)
    return True


def show(repository: Repository, commit: str, branch: str) -> None:
    """Push a commit to a scratch branch whatever was there: for heartbeats only, which nobody builds on.

    Raises:
        OutsideError: if the remote does not answer.
    """
    if repository.remote is None:
        git(["update-ref", f"refs/heads/{branch}", commit], cwd=repository.path)
        return
    args = ["push", "--quiet", *_skip_ci(repository), repository.remote, f"+{commit}:refs/heads/{branch}"]
    _push(repository, args)


def remove(repository: Repository, branch: str) -> None:
    """Delete a scratch branch; one that is gone already is fine."""
    if repository.remote is None:
        git(["update-ref", "-d", f"refs/heads/{branch}"], cwd=repository.path)
        return
    try:
        git(["push", "--quiet", repository.remote, f":refs/heads/{branch}"], cwd=repository.path)
    except GitError as error:
        if "remote ref does not exist" not in error.stderr:
            raise


def forget(repository: Repository, branch: str) -> None:
    """Remove what a clone has fetched of a scratch branch; the branch itself stays where it is."""
    if repository.remote is not None:
        git(["update-ref", "-d", ref(repository, branch)], cwd=repository.path)


def glimpse(repository: Repository, branch: str) -> str | None:
    """The commit of a scratch branch as it is now, with its files to be read; the clone keeps no name for it.

    Raises:
        OutsideError: if the remote does not answer.
    """
    fetch(repository, branch)
    commit = tip(repository, branch)
    # A clone does not fill up with branches of work that is over.
    forget(repository, branch)
    return commit


def is_ancestor(repository: Repository, old: str, new: str) -> bool:
    """Whether one commit is in the history of another."""
    try:
        git(["merge-base", "--is-ancestor", old, new], cwd=repository.path)
    except GitError:
        return False
    return True


def _fetch(repository: Repository, specs: list[str]) -> None:
    args = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"]
    git([*args, "--end-of-options", repository.remote or ".", *specs], cwd=repository.path)


def _skip_ci(repository: Repository) -> tuple[str, ...]:
    """Evidence starts no pipelines; a remote that is a folder knows no push options, and asking costs time."""
    return () if repository.remote_is_folder else ("-o", "ci.skip")


def _push(repository: Repository, args: list[str]) -> None:
    """Push, and again without `ci.skip` where the server knows no push options."""
    try:
        git(args, cwd=repository.path)
    except GitError as error:
        if "does not support push options" not in error.stderr:
            raise
        plain = [one for one in args if one not in ("-o", "ci.skip")]
        git(plain, cwd=repository.path)


def _move(repository: Repository, commit: str, branch: str, *, expected: str | None) -> bool:
    old = expected or "0" * len(commit)
    try:
        git(["update-ref", f"refs/heads/{branch}", commit, old], cwd=repository.path)
    except GitError as error:
        if _FIRST.search(error.stderr):
            return False
        raise
    return True


def _away(doing: str, error: GitError) -> OutsideError:
    if _UNKNOWN.search(error.stderr):
        hint = "give Git valid credentials for this remote; nothing was lost"
        return LockedOutError(doing, error.wrong, hint=hint)
    return OutsideError(
        doing, error.wrong, hint="check that the remote can be reached, and try again; nothing was lost"
    )
