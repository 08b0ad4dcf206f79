"""Which adapter serves which port. The only module that knows adapters; each is imported when it is asked for.

A workspace is one clone, opened: repository, settings at the protected branch, ledger, and the folder where this machine
keeps its own things. It is what the ways in pass on.
"""

from __future__ import annotations

import secrets as randomness
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runner import config
from runner.config import Settings
from runner.errors import OperatorError, OutsideError
from runner.ledger.chain import Ledger, Writer
from runner.ports.executor import Executor
from runner.ports.forge import Forge
from runner.ports.secrets import Secrets
from runner.ports.signer import Signer
from runner.repository import refs
from runner.repository.objects import Objects
from runner.repository.repository import Repository

SIGNERS = "runbooks/allowed_signers"
POLICY = "runbooks/policy.toml"
PROJECT_FILE = "pyproject.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One opened clone. `main` is the protected branch's newest known commit, where settings and policy are read."""

    repository: Repository
    objects: Objects
    settings: Settings
    main: str
    state: Path

    def refreshed(self) -> Workspace:
        """The same clone with the protected branch fetched and its settings read again.

        Raises:
            OutsideError: if the remote does not answer.
        """
        refs.fetch(self.repository, self.settings.branch)
        return _at_tip(self.repository, self.objects, self.settings.branch)

    def text(self, path: str) -> str | None:
        """A file of the protected branch, or None."""
        data = self.objects.read(self.main, path)
        return None if data is None else data.decode(errors="replace")

    def ledger(self) -> Ledger:
        """The ledger, as far as it was fetched."""
        branch = self.settings.evidence_branch
        return Ledger(self.objects, branch=branch, cache=self.state / "ledger.sqlite")

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

    def forge_as_person(self) -> Forge:
        """The forge, writing as the person at the keyboard."""
        from runner.adapters.forge.local import LocalForge

        return LocalForge.for_person(
            self.repository,
            self.objects,
            project=self.settings.project,
            branch=self.settings.issues_branch,
            signers=self.text(SIGNERS) or "",
            bot=self.settings.bot,
            bot_keys=self.bot_keys(),
            now=now,
        )

    def forge_as_bot(self) -> Forge:
        """The forge, writing as the runner itself."""
        from runner.adapters.forge.local import LocalForge

        return LocalForge.for_bot(
            self.repository,
            self.objects,
            project=self.settings.project,
            branch=self.settings.issues_branch,
            signers=self.text(SIGNERS) or "",
            bot=self.settings.bot,
            bot_keys=self.bot_keys(),
            signer=self.signer(),
            now=now,
        )

    def bot_keys(self) -> tuple[str, ...]:
        """The keys that speak for the runner: those that the ledger trusts now."""
        ledger = self.ledger()
        try:
            return tuple(sorted(ledger.refresh(fetch=False).keys))
        finally:
            ledger.close()

    def executor(self) -> Executor:
        """Where this project's runs happen.

        Raises:
            OperatorError: if the setting names no executor that there is.
        """
        if self.settings.executor != "local":
            wrong = f"there is no executor {self.settings.executor!r}"
            raise OperatorError("choosing the executor", wrong, hint='set executor = "local" in [tool.runbook]')
        from runner.adapters.executor.local import LocalExecutor

        command = (sys.executable, "-m", "runner.cli.main", "worker")
        return LocalExecutor(self.state / "spool", command=command)

    def secrets(self) -> Secrets:
        """The secret stores, in order: environment, then files."""
        return secrets(Path(self.settings.secrets) if self.settings.secrets else self.state / "secrets")


def secrets(folder: Path) -> Secrets:
    """The stores that a worker asks: environment first, then a folder of files."""
    from runner.adapters.secrets.chain import SecretChain
    from runner.adapters.secrets.environment import EnvironmentSecrets
    from runner.adapters.secrets.files import FileSecrets

    return SecretChain((EnvironmentSecrets(), FileSecrets(folder)))


def now() -> datetime:
    """The clock of this process: passed on, never asked for inside a rule."""
    return datetime.now(UTC)


Clock = Callable[[], datetime]


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
    if fetch:
        _try_fetch(repository, branch)
    return _at_tip(repository, Objects(repository), branch)


def _try_fetch(repository: Repository, branch: str) -> None:
    """A remote that is away must not keep anybody from reading what is here; writing will say so by itself."""
    try:
        refs.fetch(repository, branch)
    except OutsideError:
        return


def _at_tip(repository: Repository, objects: Objects, branch: str) -> Workspace:
    main = refs.tip(repository, branch)
    doing = f"opening the repository at {repository.path}"
    if main is None:
        hint = "commit and push something to it, or name another with: git config runbook.branch NAME"
        raise OperatorError(doing, f"there is no branch {branch}", hint=hint)
    data = objects.read(main, PROJECT_FILE)
    settings = config.read(data.decode(errors="replace") if data else None)
    if not settings.project:
        raise OperatorError(doing, "it is not set up for runbooks", hint="run `runbook init`")
    state = config.state_folder(settings.project)
    return Workspace(repository=repository, objects=objects, settings=settings, main=main, state=state)
