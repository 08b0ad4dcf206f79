"""Which adapter serves which port. With `executors` the only module that knows them; each is imported when asked for.

A workspace is one clone, opened: repository, settings at the protected branch, ledger, and the folder where this
machine keeps its own things. It is what the ways in pass on.
"""

from __future__ import annotations

import math
import os
import secrets as randomness
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from runner import config, executors
from runner.config import Settings
from runner.errors import OperatorError, OutsideError
from runner.executors import Site
from runner.ledger.chain import Ledger, Writer
from runner.ports.executor import Executor
from runner.ports.review import ReviewedForge
from runner.ports.secrets import Secrets
from runner.ports.signer import Signer
from runner.repository import refs
from runner.repository.objects import Objects
from runner.repository.repository import Repository

if TYPE_CHECKING:
    from runner.adapters.signer.person import PersonSigner

SIGNERS = "runbooks/allowed_signers"
POLICY = "runbooks/policy.toml"
PROJECT_FILE = "pyproject.toml"
FRESH = 1.0
"""Seconds for which the remote's last answer is good enough to look at; whatever takes effect is judged by itself."""


class _Place(TypedDict):
    project: str
    branch: str
    signers: str
    bot: str
    bot_keys: tuple[str, ...]
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One opened clone. `main` is the protected branch's newest known commit, where settings and policy are read.

    `asked` is when the remote was last asked for every branch, in seconds of the monotonic clock; None if it was not.
    """

    repository: Repository
    objects: Objects
    settings: Settings
    main: str
    state: Path
    asked: float | None = None

    def refreshed(self, *, fresh: float = 0.0) -> Workspace:
        """The same clone with every branch fetched and the settings read again.

        Args:
            fresh: how many seconds old the remote's last answer may be; by default it is asked again.

        Raises:
            OutsideError: if the remote does not answer.
        """
        settings, asked = self.settings, self.asked
        if not self._answered_within(fresh):
            asked = _ask(self.repository, settings.branch, *settings.others)
        return _at_tip(self.repository, self.objects, settings.branch, asked=asked)

    def _answered_within(self, seconds: float) -> bool:
        return self.asked is not None and time.monotonic() - self.asked < seconds

    def text(self, path: str) -> str | None:
        """A file of the protected branch, or None."""
        data = self.objects.read(self.main, path)
        return None if data is None else data.decode(errors="replace")

    def ledger(self) -> Ledger:
        """The ledger, as far as it was fetched."""
        branch = self.settings.evidence_branch
        # With the clone, not with the machine: what it holds is what this clone has fetched and checked.
        return Ledger(self.objects, branch=branch, cache=self.repository.git_dir / "runbook" / f"{branch}.sqlite")

    def key_file(self) -> Path:
        """Where this machine's signing key lies."""
        return self.state / "key"

    def signer(self) -> Signer:
        """This machine's signing key.

        Raises:
            OperatorError: if there is none, or others could read it.
        """
        from runner.adapters.signer.ssh import SshSigner

        if not self.key_file().exists():
            wrong = "this machine has no signing key for this project"
            raise OperatorError("opening the signing key", wrong, hint="run `runbook init`, or `runbook init --join`")
        return SshSigner(self.key_file())

    def writer(self) -> Writer:
        """Who this machine is in the ledger."""
        bot = self.settings.bot
        email = f"{bot}@{self.settings.project}.invalid"
        return Writer(signer=self.signer(), name=bot, email=email, actor=self.owner())

    def owner(self) -> str:
        """This machine's name in starts: its host name and an id that is lost together with its spool."""
        file = self.state / "owner"
        if not file.exists():
            self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
            file.write_text(randomness.token_hex(4))
        return f"{config.host()}/{file.read_text().strip()}"

    def forge_as_person(self, *, fetched: bool = False) -> ReviewedForge:
        """The forge, writing as the person at the keyboard; `fetched` says that what is here is to be read as it is."""
        if self.settings.forge == "gitlab":
            return _gitlab(self)
        from runner.adapters.forge.local import LocalForge

        fetched = fetched or self._answered_within(FRESH)
        signer = partial(person_signer, self.repository)
        return LocalForge.for_person(self.objects, **self._place(), signer=signer, fetched=fetched)

    def forge_as_bot(self, *, fetched: bool = False, since: float = math.inf) -> ReviewedForge:
        """As the runner itself; `fetched` just now; what was read `since`, in monotonic seconds, will do for a look."""
        if self.settings.forge == "gitlab":
            return _gitlab(self, as_bot=True, since=since)
        from runner.adapters.forge.local import LocalForge

        return LocalForge.for_bot(self.objects, **self._place(), signer=self.signer(), fetched=fetched)

    def _place(self) -> _Place:
        """What the plain-Git forge needs to know, whoever writes."""
        return _Place(
            project=self.settings.project,
            branch=self.settings.issues_branch,
            signers=self.text(SIGNERS) or "",
            bot=self.settings.bot,
            bot_keys=self.bot_keys(),
            now=now,
        )

    def bot_keys(self) -> tuple[str, ...]:
        """The keys that speak, or spoke, for the runner: what an old one said stays said."""
        with closing(self.ledger()) as ledger:
            return tuple(sorted((state := ledger.refresh(fetch=False)).keys | state.former))

    def executor(self, *, spares: int = 0) -> Executor:
        """Where this project's runs happen; so many `spares` are kept ready, where it can do that.

        Raises:
            OperatorError: if the setting names no executor that there is.
        """
        site = Site(
            objects=self.objects,
            settings=self.settings,
            state=self.state,
            secrets=self.secrets_folder(),
            signer=self.signer,
            keys=self.bot_keys,
            now=now,
        )
        return executors.choose(site, spares=spares)

    def secrets_folder(self) -> Path:
        """Where secret files are, one for each name."""
        return Path(self.settings.secrets).expanduser() if self.settings.secrets else self.state / "secrets"


def _gitlab(workspace: Workspace, *, as_bot: bool = False, since: float = math.inf) -> ReviewedForge:
    from runner.adapters.forge import gitlab

    return gitlab.opened(workspace.repository, workspace.settings, as_bot=as_bot, since=since)


def key_at(file: Path) -> Signer:
    """The signing key in a file, made if there is none."""
    from runner.adapters.signer.ssh import SshSigner, generate

    return SshSigner(file) if file.exists() else generate(file)


def person_key(repository: Repository) -> str | None:
    """The public key that Git signs with for the person at the keyboard; None where none is configured."""
    signer = person_signer(repository)
    return signer.public_key if signer else None


def person_signer(repository: Repository) -> PersonSigner | None:
    """The person's own key; without one, what they write is kept and never verified."""
    from runner.adapters.signer import person

    if not repository.setting("user.signingkey"):
        return None
    return person.person_signer(repository.setting)


def secrets(clone: Path) -> Secrets:
    """The stores that the settings of a clone name; both are read when the first secret is asked for."""
    from runner.adapters.secrets.stores import DeferredSecrets, open_stores

    def opened() -> Secrets:
        workspace = open_workspace(clone, fetch=False)
        return open_stores(
            workspace.settings.secret_stores,
            environment=dict(os.environ),
            folder=workspace.secrets_folder(),
            credentials=workspace.state / "stores",
            read=lambda path: workspace.objects.read(workspace.main, path),
        )

    return DeferredSecrets(opened)


def own_secrets() -> Secrets:
    """What somebody has in their own environment, and no store."""
    from runner.adapters.secrets.environment import EnvironmentSecrets

    return EnvironmentSecrets(os.environ)


def now() -> datetime:
    """The clock of this process: passed on, never asked for inside a rule."""
    return datetime.now(UTC)


def open_workspace(path: Path, *, fetch: bool = True) -> Workspace:
    """Open the clone that contains a folder.

    Args:
        path: a folder in the clone.
        fetch: whether to ask the remote for the newest state first; without an answer the last known one is used.

    Raises:
        OperatorError: if it is no clone, or has no protected branch with settings yet.
    """
    repository = Repository.open(path)
    branch = repository.setting("runbook.branch") or "main"
    objects = Objects(repository)
    expected = _others(objects, branch)
    asked = _try_ask(repository, branch, *expected) if fetch else None
    workspace = _at_tip(repository, objects, branch, asked=asked)
    if asked is not None and _others(objects, branch) != expected:
        # The newest settings name other branches than those that this clone knew of.
        workspace = replace(workspace, asked=_try_ask(repository, branch, *_others(objects, branch)))
    return workspace


def _others(objects: Objects, branch: str) -> tuple[str, ...]:
    """The branches beside the code, as far as is known."""
    try:
        return _settings(objects, objects.tip(branch)).others
    except OperatorError:
        return Settings().others  # the newest ones may be correct again


def _ask(repository: Repository, *branches: str) -> float:
    """Ask the remote for all branches with one question, since every question is a connection; return when."""
    asked = time.monotonic()
    refs.fetch(repository, *branches)
    return asked


def _try_ask(repository: Repository, *branches: str) -> float | None:
    """A remote that is away must not keep anybody from reading what is here; writing will say so by itself."""
    try:
        return _ask(repository, *branches)
    except OutsideError:
        return None


def _settings(objects: Objects, main: str | None) -> Settings:
    data = objects.read(main, PROJECT_FILE) if main else None
    return config.read(data.decode(errors="replace") if data else None)


def _at_tip(repository: Repository, objects: Objects, branch: str, *, asked: float | None) -> Workspace:
    main = objects.tip(branch)
    doing = f"opening the repository at {repository.path}"
    if main is None:
        hint = "commit and push something to it, or name another with: git config runbook.branch NAME"
        raise OperatorError(doing, f"there is no branch {branch}", hint=hint)
    settings = _settings(objects, main)
    if not settings.project:
        raise OperatorError(doing, "it is not set up for runbooks", hint="run `runbook init`")
    state = config.state_folder(settings.project)
    return Workspace(repository=repository, objects=objects, settings=settings, main=main, state=state, asked=asked)
