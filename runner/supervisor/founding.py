"""Founding: the key, the first commit of policy, and genesis; later, letting another machine's key in."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runner import config
from runner.config import Settings
from runner.digest import sha256
from runner.errors import OperatorError
from runner.ledger.bodies import Genesis, Key
from runner.ledger.chain import Draft, Ledger, Writer
from runner.ledger.envelope import is_key
from runner.ledger.event import Event
from runner.ledger.state import State
from runner.repository import refs
from runner.repository.commits import Author, write
from runner.repository.objects import Objects
from runner.repository.process import GitError, git
from runner.repository.repository import Repository
from runner.wiring import POLICY, PROJECT_FILE, SIGNERS, Workspace, key_at, open_workspace, person_key

DOING = "setting the repository up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """What was set up. `proposed` is the branch to merge where the protected branch could not be pushed to."""

    project: str
    genesis: str
    public_key: str
    key_file: Path
    committed: tuple[str, ...]
    proposed: str


def found(path: Path, *, now: Callable[[], datetime]) -> Founded:
    """Set a repository up; repeating it changes nothing that is there.

    Raises:
        OperatorError: if it is no clone, or there is nobody to write the first policy for.
        OutsideError: if the remote does not answer.
    """
    repository = Repository.open(path)
    branch = repository.setting("runbook.branch") or "main"
    refs.fetch(repository, branch)
    with Objects(repository) as objects:
        main = before = objects.tip(branch)
        settings = _settings(objects, main)
        project = settings.project or _name(repository)
        files = _missing(objects, main, repository=repository, project=project)
        proposed = ""
        if files:
            main, proposed = _commit(objects, files, main=main, branch=branch, now=now())
        signer = key_at(config.state_folder(project) / "key")
        workspace = Workspace(
            repository=repository,
            objects=objects,
            settings=settings if settings.project else config.read(files[PROJECT_FILE].decode()),
            main=main or "",
            state=config.state_folder(project),
        )
        event = _genesis(workspace, now=now)
        if files and not proposed:
            _catch_up(repository, branch, main or "", old=before)
        return Founded(
            project=project,
            genesis=event,
            public_key=signer.public_key,
            key_file=workspace.key_file(),
            committed=tuple(sorted(files)),
            proposed=proposed,
        )


def join(path: Path) -> str:
    """Make this machine's key for a project that others have set up; it may write once a trusted machine admits it.

    Returns:
        The public key.
    """
    workspace = open_workspace(path)
    with workspace.objects:
        return key_at(workspace.key_file()).public_key


def admit(path: Path, key: str, *, now: Callable[[], datetime], revoke: bool = False) -> Event | None:
    """Let another machine's key write from the next event on, or stop it.

    Raises:
        OperatorError: if it is no Ed25519 public key, or this machine may not write itself.
    """
    line = " ".join(key.split()[:2])  # type and key; a comment may follow
    if not is_key(line):
        hint = "paste the line that `runbook init --join` printed there"
        raise OperatorError("letting a key in", "it is not an OpenSSH ssh-ed25519 public key", hint=hint)
    body = Key(key=line, action="revoke" if revoke else "add")

    def build(state: State) -> Sequence[Draft]:
        if (line in state.keys) is not revoke:
            return []
        if revoke and state.keys == {line}:
            raise OperatorError("revoking a key", "it is the only one that may write", hint="admit another first")
        title = f"key: {body.action} {line[-12:]}"
        return [Draft(body=body, run=None, title=title, about=(("key", sha256(line.encode())),))]

    workspace = open_workspace(path)
    with workspace.objects, closing(workspace.ledger()) as ledger:
        events = ledger.append(build, writer=workspace.writer(), now=now)
    return events[0] if events else None


def _settings(objects: Objects, main: str | None) -> Settings:
    data = objects.read(main, PROJECT_FILE) if main else None
    return config.read(data.decode(errors="replace") if data else None)


def _name(repository: Repository) -> str:
    """A project id: readable, and different from every other."""
    url = repository.setting(f"remote.{repository.remote}.url") or str(repository.path)
    base = re.sub(r"[^a-z0-9]+", "-", Path(url.removesuffix("/")).name.removesuffix(".git").lower()).strip("-")
    return f"{base[:40] or 'runbooks'}-{secrets.token_hex(4)}"


def _missing(objects: Objects, main: str | None, *, repository: Repository, project: str) -> dict[str, bytes]:
    """The files that the protected branch still needs, with their first content."""
    there = {name: objects.read(main, name) if main else None for name in (PROJECT_FILE, POLICY, SIGNERS)}
    files: dict[str, bytes] = {}
    old = (there[PROJECT_FILE] or b"").decode()
    if "[tool.runbook]" not in old:
        gap = "\n" if old else ""
        files[PROJECT_FILE] = f'{old}{gap}[tool.runbook]\nproject = "{project}"\n'.encode()
    if there[POLICY] is None or there[SIGNERS] is None:
        person = repository.setting("user.email")
        if not person:
            hint = "git config user.email you@example.org"
            raise OperatorError(
                DOING, "Git does not know who you are, so there is nobody to write policy for", hint=hint
            )
        if there[POLICY] is None:
            files[POLICY] = _policy(person).encode()
        if there[SIGNERS] is None:
            files[SIGNERS] = _signers(repository, person).encode()
    return files


def _policy(person: str) -> str:
    return f"""\
# Who may do what. Read at the protected branch's newest commit; the words are explained in the project's README.
# The first rule that matches a target speaks for it; what no rule matches is denied.
identity = "signed"

[groups]
operators = ["{person}"]
oncall = ["{person}"]

[[rule]]
name = "everything, by two people"
request = ["@operators"]
approve = {{ count = 1, from = ["*"], requester_excluded = true, expires = "24h" }}
cancel = ["@oncall"]
resolve = ["@oncall"]
"""


def _signers(repository: Repository, person: str) -> str:
    """The first line of `allowed_signers`: whoever sets the repository up, if Git has a signing key for them."""
    head = "# One line for each person: name, then public key. A name is what policy.toml and comments call a person.\n"
    key = person_key(repository)
    return head + (f'{person} namespaces="git,runbook-comment" {key}\n' if key else "")


def _commit(
    objects: Objects, files: dict[str, bytes], *, main: str | None, branch: str, now: datetime
) -> tuple[str, str]:
    """Commit to the protected branch, or where that is refused, to a branch for somebody to merge."""
    repository = objects.repository
    name, email = repository.setting("user.name") or "runbook", repository.setting("user.email") or "runbook@invalid"
    author = Author(name=name, email=email, when=now)
    message = "Set up runbooks: settings, policy and signers\n"
    commit = write(objects, files, parent=main, message=message, author=author, sign=None)
    try:
        if refs.publish(repository, commit, branch, expected=main):
            return commit, ""
    except OperatorError:
        refs.publish(repository, commit, "runbook-init", expected=None)
        return commit, "runbook-init"
    raise OperatorError(DOING, f"{branch} moved in between", hint="run `runbook init` again")


def _catch_up(repository: Repository, branch: str, commit: str, *, old: str | None) -> None:
    """Bring the work tree along where that is safe; else the next pull does."""
    if repository.bare or repository.setting("core.bare") == "true":
        return
    try:
        head = git(["symbolic-ref", "--short", "HEAD"], cwd=repository.path).decode().strip()
        if head == branch and repository.remote is not None:
            git(["merge", "--quiet", "--ff-only", "--end-of-options", commit], cwd=repository.path)
        elif head == branch:
            # The branch has moved already: bring index and files from the old commit to the new one, or leave both.
            base = old or git(["hash-object", "-w", "-t", "tree", "--stdin"], cwd=repository.path).decode().strip()
            git(["read-tree", "-m", "-u", base, commit], cwd=repository.path)
    except GitError:
        return


def _genesis(workspace: Workspace, *, now: Callable[[], datetime]) -> str:
    writer = workspace.writer()
    body = Genesis(
        project=workspace.settings.project,
        code_branch=workspace.settings.branch,
        evidence_branch=workspace.settings.evidence_branch,
        object_format=workspace.repository.object_format,
        key=writer.signer.public_key,
    )

    def build(state: State) -> Sequence[Draft]:
        if state.genesis is not None:
            return []
        about = (("key", sha256(body.key.encode())),)
        return [Draft(body=body, run=None, title=f"genesis: {body.project}", about=about)]

    refs.fetch(workspace.repository, workspace.settings.evidence_branch)
    with closing(workspace.ledger()) as ledger:
        ledger.append(build, writer=writer, now=now)
        state = ledger.refresh(fetch=False)
        _admitted(ledger, writer)
    return state.genesis or ""


def _admitted(ledger: Ledger, writer: Writer) -> None:
    if writer.signer.public_key not in ledger.state.keys:
        hint = "run `runbook init --join` here, then `runbook init --admit KEY` on a machine that may write"
        raise OperatorError(
            DOING, "it is set up already, and this machine's key may not write to its ledger", hint=hint
        )
