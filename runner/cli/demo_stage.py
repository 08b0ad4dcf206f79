"""The demo's stage: a scratch ops repository with a bare remote and two people's clones, in one folder.

Nothing of it depends on the user's own Git configuration, keys or state, and nothing outside the folder is touched.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import shipped
from runner.errors import OperatorError, OutsideError, RequestError

if TYPE_CHECKING:
    from runner.supervisor.founding import Founded

DOING = "preparing the demo"
SHIPPED = ("rotate-certificate", "disk-cleanup", "service-restart")
_ACCEPTED = re.compile(r"/[\w .,@+=()/-]*\Z")
"""Folders that the runbook's parameters accept."""

POLICY = """\
# Who may do what, for the demo: Alice asks, Bob says yes. What no rule matches is denied.
identity = "signed"

[groups]
operators = ["alice@example.org"]
approvers = ["bob@example.org"]

[[rule]]
name = "asked by an operator, approved by somebody else"
request = ["@operators"]
approve = {count = 1, from = ["@approvers"], requester_excluded = true, expires = "24h"}
cancel = ["@operators", "@approvers"]
resolve = ["@approvers"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where everything of the demo is. `alice` and `bob` are clones of `remote`."""

    folder: Path
    remote: Path
    alice: Path
    bob: Path
    state: Path
    server: Path


def stage_in(folder: Path) -> Stage:
    """Name the places in an empty folder, which is made if it is not there.

    Raises:
        RequestError: if the folder holds something, is a file, or has a name that the demo's runbook does not accept.
        OutsideError: if the system does not let us make or read it.
        OperatorError: if Git is not installed.
    """
    place = folder.expanduser().absolute()
    if not _ACCEPTED.match(str(place)):
        raise RequestError(DOING, f"the name of {place} has characters that do not suit it", hint="--dir /tmp/demo")
    if shutil.which("git") is None:
        raise OperatorError(DOING, "git is not installed", hint="install git 2.34 or newer")
    try:
        place.mkdir(parents=True, exist_ok=True)
        full = any(place.iterdir())
    except (FileExistsError, NotADirectoryError) as error:
        raise RequestError(DOING, f"{place} is not a folder", hint="name a new folder") from error
    except OSError as error:
        hint = "name another folder with --dir"
        raise OutsideError(DOING, f"{place} cannot be made or read ({error.strerror})", hint=hint) from error
    if full:
        raise RequestError(DOING, f"{place} is not empty", hint="name a new folder; the demo overwrites nothing")
    return Stage(
        folder=place,
        remote=place / "ops.git",
        alice=place / "alice",
        bob=place / "bob",
        state=place / "state",
        server=place / "server",
    )


@contextmanager
def surroundings(stage: Stage) -> Iterator[None]:
    """Keep the user's own Git configuration and runner state out of it for as long as the block lasts."""
    before = dict(os.environ)
    for name in [one for one in before if one.startswith("GIT_") and "SSL" not in one]:
        del os.environ[name]
    os.environ |= {
        "RUNBOOK_STATE": str(stage.state),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def make_remote(stage: Stage) -> None:
    """Make the bare remote that both people push to."""
    from runner.repository.process import git

    git(["init", "--quiet", "--bare", "--initial-branch=main", str(stage.remote)], cwd=stage.folder, doing=DOING)


def clone_for(stage: Stage, name: str) -> str:
    """Clone the remote for a person and make their signing key.

    Returns:
        Their line for `allowed_signers`.
    """
    from runner.repository.process import git
    from runner.wiring import key_at

    place, key = stage.folder / name, stage.folder / f"{name}.key"
    git(["clone", "--quiet", "--origin=origin", str(stage.remote), str(place)], cwd=stage.folder, doing=DOING)
    public = key_at(key).public_key
    public_file = key.with_name(f"{key.name}.pub")
    public_file.write_text(f"{public} {name}\n")
    settings = {
        "user.name": name.capitalize(),
        "user.email": f"{name}@example.org",
        "user.signingkey": str(public_file),
        "gpg.format": "ssh",
        "commit.gpgsign": "false",
        "core.autocrlf": "false",
    }
    for setting, value in settings.items():
        git(["config", setting, value], cwd=place, doing=DOING)
    return f'{name}@example.org namespaces="git,runbook-comment" {public}\n'


def found(stage: Stage) -> Founded:
    """Set the repository up from Alice's clone, as `runbook init` does."""
    from runner.repository.process import git
    from runner.supervisor import founding
    from runner.wiring import now

    git(["symbolic-ref", "HEAD", "refs/heads/main"], cwd=stage.alice, doing=DOING)
    return founding.found(stage.alice, now=now)


def add_rules(stage: Stage, *, signers: str) -> None:
    """Commit and push, as Alice: the policy, Bob's key, and the shipped runbooks."""
    from runner.repository.process import git

    folder = stage.alice / "runbooks"
    (folder / "policy.toml").write_text(POLICY)
    with (folder / "allowed_signers").open("a") as file:
        file.write(signers)
    for name in SHIPPED:
        shutil.copyfile(shipped.runbooks() / f"{name}.ipynb", folder / f"{name}.ipynb")
    git(["add", "runbooks"], cwd=stage.alice, doing=DOING)
    message = "Let Bob approve what Alice asks for; three runbooks to start with"
    git(["commit", "--quiet", "-m", message], cwd=stage.alice, doing=DOING)
    git(["push", "--quiet", "origin", "main"], cwd=stage.alice, doing=DOING)


def catch_up(stage: Stage) -> None:
    """Bring Bob's clone up to what Alice pushed."""
    from runner.repository.process import git

    git(["pull", "--quiet", "--ff-only", "origin", "main"], cwd=stage.bob, doing=DOING)
