"""What can be verified: a clone (any of its branches or commits), a Git bundle, or a plain folder with the files.

Opening decides what is there and what is missing, so that each check can say "not checked" instead of passing.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.audit import folder, history
from runner.audit.code import Code
from runner.audit.page import Page
from runner.digest import sha256
from runner.errors import IntegrityError, OperatorError, OutsideError
from runner.ledger.bodies import Genesis
from runner.ledger.envelope import unchecked_payload
from runner.ledger.event import decode, path
from runner.repository.objects import Objects
from runner.repository.process import GitError, git
from runner.repository.repository import Repository

DOING = "opening the evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Opened evidence. `code` is None where the code branch is missing; `commits` is False for a plain folder."""

    name: str
    kind: str
    tip: str
    place: Path
    code: Code | None
    commits: bool

    def pages(self) -> Iterator[Page]:
        """Every page, oldest first."""
        return history.pages(self.place, self.tip) if self.commits else folder.pages(self.place)


@contextmanager
def opened(what: str, *, at: Path, branch: str = "evidence") -> Iterator[Source]:
    """Open a folder, a bundle or a revision.

    Args:
        what: a path, or a revision of the clone; empty for the evidence branch of the clone.
        at: a folder in the clone.
        branch: the evidence branch, where `what` does not say.

    Raises:
        OutsideError: if there is nothing that can be verified.
    """
    file = Path(what) if what else None
    if file and file.is_file():
        with _bundle(file, branch) as source:
            yield source
    elif file and file.is_dir() and folder.holds_evidence(file):
        yield Source(name=what, kind="folder", tip="", place=file, code=None, commits=False)
    elif file and file.is_dir():
        with _clone(file, "", branch, name=what, kind="clone") as source:
            yield source
    else:
        with _clone(at, what, branch, name=what or branch, kind="clone") as source:
            yield source


@contextmanager
def _bundle(file: Path, branch: str) -> Iterator[Source]:
    with tempfile.TemporaryDirectory(prefix="runbook-bundle-") as name:
        place = Path(name)
        form = "sha256" if b"object-format=sha256" in _head(file) else "sha1"
        try:
            git(["init", "--quiet", "--bare", f"--object-format={form}", "."], cwd=place)
            where = str(file.resolve())
            git(["fetch", "--quiet", "--no-tags", where, "refs/heads/*:refs/heads/*"], cwd=place, timeout=600)
        except GitError as error:
            hint = "a bundle is made with: git bundle create FILE --branches"
            raise OutsideError(f"{DOING} {file}", error.wrong, hint=hint) from error
        with _clone(place, "", branch, name=str(file), kind="bundle") as source:
            yield source


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(200)
    except OSError as error:
        raise OutsideError(f"{DOING} {file}", error.strerror or "it cannot be read") from error


@contextmanager
def _clone(at: Path, revision: str, branch: str, *, name: str, kind: str) -> Iterator[Source]:
    try:
        repository = Repository.open(at)
    except OperatorError as error:
        raise OutsideError(error.doing, error.wrong, hint=error.hint) from error
    with Objects(repository) as objects:
        tip = _tip(objects, revision, branch)
        code = _code(objects, tip)
        yield Source(name=name, kind=kind, tip=tip, place=repository.path, code=code, commits=True)


def _tip(objects: Objects, revision: str, branch: str) -> str:
    repository = objects.repository
    tips = [f"refs/remotes/{repository.remote}/{branch}"] if repository.remote else []
    for one in (revision,) if revision else (*tips, f"refs/heads/{branch}"):
        found = None if one.startswith("-") else objects.resolve(one)
        if found:
            return found
    hint = "name the evidence branch, a bundle, or a folder that holds `ledger/`"
    raise OutsideError(f"{DOING} {revision or branch}", "there is no such commit, file or folder here", hint=hint)


def _code(objects: Objects, tip: str) -> Code | None:
    """The code branch that genesis names, as far as this clone has it."""
    data = objects.read(tip, path(0))
    if data is None:
        return None
    try:
        body = decode(unchecked_payload(data), digest=sha256(data)).body
    except IntegrityError:
        return None
    if not isinstance(body, Genesis) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", body.code_branch):
        return None
    commit = objects.tip(body.code_branch) or objects.resolve(f"refs/heads/{body.code_branch}")
    return Code(objects, commit) if commit else None
