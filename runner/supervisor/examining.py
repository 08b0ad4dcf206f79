"""Gathering what `runner/doctor` judges: the forge through its inspector, the repository, this machine."""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from runner.doctor import people
from runner.doctor.facts import Broken, Credential, Facts, Machine, Papers, Scratch, Store, Vouching
from runner.errors import IntegrityError, OperatorError, OutsideError, RequestError, RunbookError
from runner.execution import isolation
from runner.ledger.state import State
from runner.plan import proposal
from runner.ports.forge import PersonId
from runner.ports.pipeline import BRANCH
from runner.ports.premises import Blind, Inspector, Premises, Seen, Unseen, Wanted
from runner.repository.process import GitError, git
from runner.runbook import catalog
from runner.runbook.lint import errors, lint
from runner.supervisor import heartbeat
from runner.wiring import POLICY, SIGNERS, Workspace

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_PASSWORD = re.compile(r"[a-z+]+://[^/@]*:[^/@]+@", re.IGNORECASE)
_HELPER = "store"
"""Git's helper that keeps passwords in a file."""
_PRIVATE = ("key", "webhook-signing", "webhook-token", "inbox.sqlite")
_PRIVATE_FOLDERS = ("secrets", "stores")


def gather(
    workspace: Workspace,
    *,
    inspector: Inspector,
    stores: Mapping[str, Callable[[], None]],
    now: Callable[[], datetime],
    vouching: Vouching | Broken | None = None,
    trigger: bool = False,
    url: str = "",
) -> Facts:
    """Look at everything.

    Args:
        workspace: the opened clone.
        inspector: looks at the forge.
        stores: finds out for each secret store whether it can be opened.
        now: this machine's clock.
        vouching: what vouches for deliveries here; None if this machine takes none.
        trigger: whether Git keeps a token here that starts pipelines.
        url: where the forge reaches `runbook serve`, as far as somebody said.
    """
    facts = Facts(
        settings=workspace.settings,
        now=now(),
        premises=Premises(skew=Unseen(why="it was not looked at")),
        papers=_papers(workspace),
        machine=replace(_machine(workspace, stores=stores, vouching=vouching), trigger=trigger),
        scratch=tuple(_scratch(workspace)),
        url=url,
    )
    policy, settings = people.policy(facts), workspace.settings
    wanted = Wanted(
        people=(people.named(policy) if policy else frozenset()) | {PersonId(settings.bot)},
        hooks=vouching is not None or bool(url),
        tags=tuple(dict.fromkeys(tag for _, tag in settings.zones)) if settings.executor == "gitlab-ci" else (),
    )
    return replace(facts, premises=inspector.look(wanted))


def _scratch(workspace: Workspace) -> Iterator[Scratch]:
    """Branches that the runner pushes to: signs of life, proposals, and work that is carried out elsewhere."""
    yield Scratch(prefix=heartbeat.PREFIX, rewritten=True)
    yield Scratch(prefix=proposal.PREFIX, rewritten=False)
    if workspace.settings.executor == "gitlab-ci":
        yield Scratch(prefix=BRANCH, rewritten=False)


def _papers(workspace: Workspace) -> Papers:
    state = _ledger(workspace)
    return Papers(
        stale=workspace.asked is None,
        policy=workspace.text(POLICY),
        signers=workspace.text(SIGNERS),
        runbooks=tuple(_linted(workspace)),
        pipeline=workspace.text(".gitlab-ci.yml") is not None,
        keys=state.keys if isinstance(state, State) else state,
        former=state.former if isinstance(state, State) else frozenset(),
    )


def _ledger(workspace: Workspace) -> State | Broken | Unseen:
    """The ledger's state, as far as it was fetched."""
    try:
        with closing(workspace.ledger()) as ledger:
            state = ledger.refresh(fetch=False)
    except (IntegrityError, OperatorError) as error:
        return Broken(wrong=str(error), fix=error.hint or "runbook verify")
    except OutsideError as error:
        return Unseen(why=str(error))
    if state.genesis is None:
        return Broken(wrong="the ledger has not begun", fix="runbook init")
    return state


def _linted(workspace: Workspace) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every runbook of the protected branch, with what lint calls an error."""
    for name in catalog.names(workspace.objects, workspace.main):
        try:
            found = errors(lint(catalog.find(workspace.objects, name, commit=workspace.main)))
            yield name, tuple(f"{one.rule}: {one.message}" for one in found)
        except RequestError as error:
            yield name, (error.wrong,)


def _machine(
    workspace: Workspace, *, stores: Mapping[str, Callable[[], None]], vouching: Vouching | Broken | None
) -> Machine:
    state = workspace.state
    there = next(folder for folder in (state, *state.parents) if folder.exists())
    supervises = workspace.key_file().exists()
    return Machine(
        git=_git_version(workspace.repository.path),
        isolation=isolation.reached(),
        free=shutil.disk_usage(there).free,
        state=state,
        loose=tuple(_loose(workspace)),
        key=_key(workspace) if supervises else None,
        credentials=tuple(_credentials(workspace)),
        stores=tuple(_store(name, look) for name, look in stores.items()) if supervises else (),
        vouching=vouching,
    )


def _git_version(where: Path) -> str:
    try:
        return git(["version"], cwd=where).decode(errors="replace").strip().removeprefix("git version ")
    except GitError:
        return ""


def _key(workspace: Workspace) -> str | Broken:
    try:
        return workspace.signer().public_key
    except OperatorError as error:
        return Broken(wrong=str(error), fix=error.hint)


def _loose(workspace: Workspace) -> Iterator[tuple[Path, int]]:
    """Whatever of ours others may read: the folder, keys, secrets, what opens stores."""
    state = workspace.state
    files = [state, *(state / name for name in _PRIVATE)]
    for folder in (workspace.secrets_folder(), *(state / name for name in _PRIVATE_FOLDERS)):
        files += [folder, *(folder.rglob("*") if folder.is_dir() else ())]
    for path in dict.fromkeys(files):
        mode = stat.S_IMODE(path.lstat().st_mode) if path.exists() else 0
        if mode & _OTHERS and not path.is_symlink():
            yield path, mode


def _credentials(workspace: Workspace) -> Iterator[Credential]:
    """Where Git finds the token for this GitLab: its helpers, and addresses of remotes that hold one."""
    said = git(["config", "--list", "-z"], cwd=workspace.repository.path).decode(errors="replace")
    helpers: list[str] = []
    for name, _, value in (item.partition("\n") for item in said.split("\0") if item):
        if name.startswith("remote.") and name.endswith((".url", ".pushurl")) and _PASSWORD.match(value):
            yield Credential(helper="", embedded=True)
        if name == "credential.helper" or _speaks(name, workspace.settings.gitlab):
            # An empty one makes Git forget those before it.
            helpers = [*helpers, value] if value else []
    yield from map(_helper, dict.fromkeys(helpers))


def _speaks(name: str, gitlab: str) -> bool:
    """Whether a setting `credential.ADDRESS.helper` is about this server."""
    address = name.removeprefix("credential.").removesuffix(".helper")
    if not (name.startswith("credential.") and name.endswith(".helper")):
        return False
    return urlsplit(address).netloc.rpartition("@")[2] == urlsplit(gitlab).netloc


def _helper(words: str) -> Credential:
    name, *rest = _words(words)
    if name != _HELPER:
        return Credential(helper=name.rpartition("/")[2].removeprefix("git-credential-"))
    named = [after for before, after in itertools.pairwise(rest) if before == "--file"]
    named += [one.removeprefix("--file=") for one in rest if one.startswith("--file=")]
    file = Path(named[-1] if named else "~/.git-credentials").expanduser()
    return Credential(helper=name, file=file, mode=stat.S_IMODE(file.stat().st_mode) if file.exists() else None)


def _words(helper: str) -> list[str]:
    try:
        return shlex.split(helper) or [""]
    except ValueError:
        # No more of it than its first word: what follows may be a password.
        return helper.split()[:1] or [""]


def _store(name: str, look: Callable[[], None]) -> Store:
    problem: Seen[Broken | None] = None
    try:
        look()
    except OutsideError as error:
        problem = Unseen(why=f"{name}: {error.wrong}", blind=Blind.AWAY)
    except RunbookError as error:
        problem = Broken(wrong=error.wrong, fix=error.hint)
    return Store(name=name, problem=problem)
