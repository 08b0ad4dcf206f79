"""A project at the stand-in with everything around it: clones over HTTPS, credentials, policy, and the runner's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from runner.adapters.signer.ssh import generate
from tests.gitlab.app import Server
from tests.gitlab.clients import git
from tests.gitlab.running import serving
from tests.gitlab.seed import BOT, PROJECT, Seeded, seed
from tests.gitlab.site import Issue, Level, Tier
from tests.stories import runbooks

POLICY = """\
[groups]
team = ["alice", "bob", "carol"]

[[rule]]
name = "by two people"
request = ["@team"]
approve = {count = 1, from = ["@team"]}
cancel = ["carol"]
resolve = ["carol"]
"""
PEOPLE = ("alice", "bob", "carol", BOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The stand-in, and a clone and a state folder for each person and for the runner."""

    folder: Path
    server: Server
    seeded: Seeded

    @property
    def certificate(self) -> Path:
        """What the stand-in vouches for itself with."""
        return self.folder / "gitlab" / "gitlab.crt"

    @property
    def traces(self) -> Path:
        """Where runbooks leave their traces."""
        return self.folder / "traces"

    def environment(self, name: str) -> dict[str, str]:
        """What makes a process be on somebody's machine, and believe the stand-in's certificate."""
        certificate = str(self.certificate)
        own = {"RUNBOOK_STATE": str(self.folder / f"state-{name}"), "GIT_CONFIG_GLOBAL": os.devnull}
        return {**os.environ, **own, "GIT_SSL_CAINFO": certificate, "REQUESTS_CA_BUNDLE": certificate}

    def start(self, name: str, *words: str, command: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start the real command line in somebody's clone, or a command that does as it does."""
        return subprocess.Popen(
            [sys.executable, "-m", *(command or ["runner.cli.main"]), "-C", str(self.folder / name), *words],
            env=self.environment(name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def cli(self, name: str, *words: str) -> Done:
        """Run the real command line to its end."""
        with self.start(name, *words) as process:
            out, err = process.communicate(timeout=180)
        return Done(code=process.returncode, out=out, err=err)

    def ask(self, runbook: str = "count") -> str:
        """The words of a request."""
        return f'```runbook\nrunbook: {runbook}\nparameters:\n  folder: "{self.traces}"\n```\n'

    def issue(self, number: int) -> Issue:
        """An issue as the stand-in has it."""
        return self.seeded.project.issues[number]

    def said(self, number: int) -> list[str]:
        """What the runner said on an issue, oldest first."""
        return [note.body for note in self.issue(number).notes if note.author.username == BOT and not note.system]

    def times(self) -> int:
        """How often the counting cell ran."""
        file = self.traces / "count"
        return len(file.read_text().splitlines()) if file.exists() else 0


@contextmanager
def founded(
    folder: Path,
    *,
    tier: Tier = Tier.FREE,
    settings: str = "",
    files: Mapping[str, bytes] | None = None,
    documented: bool = False,
) -> Iterator[Place]:
    """A place whose ledger has begun, until the end of the block; it ends badly if an answer was not GitLab's.

    Args:
        folder: where everything lies.
        tier: what was paid for.
        settings: further lines of `[tool.runbook]`.
        files: further files of the first commit.
        documented: as the README says that a project is set up: nobody pushes to `main`, and the token ends some day.
    """
    with serving(folder / "gitlab", tier=tier, tls=True) as server:
        place = Place(folder=folder, server=server, seeded=seed(server))
        place.traces.mkdir()
        for name in PEOPLE:
            _clone(place, name)
        _first_commit(place, settings, files or {})
        begun = place.cli(BOT, "init")
        assert begun.code == 0, begun.err
        if documented:
            server.site.tokens[place.seeded.tokens[BOT]].expires = date(2999, 1, 1)
            place.seeded.project.protected["main"].push = Level.NONE
        yield place
        assert server.missing == []
        assert server.contract is None or server.contract.broken == [], server.contract.broken


def _clone(place: Place, name: str) -> None:
    clone, credentials = place.folder / name, place.folder / f"{name}.credentials"
    clone.mkdir()
    git("init", "-q", "-b", "main", at=clone)
    token = place.seeded.tokens[name]
    credentials.touch(mode=0o600)
    credentials.write_text(f"{place.server.base.replace('://', f'://oauth2:{token}@')}\n")
    for setting, value in (
        ("credential.helper", f"store --file {credentials}"),
        ("remote.origin.url", f"{place.server.base}/{PROJECT}.git"),
        ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"),
        ("user.name", name.title()),
        ("user.email", f"{name}@example.org"),
    ):
        git("config", setting, value, at=clone)


def _first_commit(place: Place, more: str, others: Mapping[str, bytes]) -> None:
    """Bob is a maintainer: runbooks, policy and settings come from him."""
    clone, key = place.folder / "bob", generate(place.folder / "bob.key")
    (place.folder / "bob.key.pub").write_text(key.public_key + "\n")
    settings = (
        f'[tool.runbook]\nproject = "lab-00000000"\nforge = "gitlab"\ngitlab = "{place.server.base}"\n'
        f'gitlab-project = "{PROJECT}"\nbot = "{BOT}"\n{more}'
    )
    files = {"pyproject.toml": settings, "runbooks/policy.toml": POLICY, "runbooks/allowed_signers": ""}
    (clone / "runbooks").mkdir()
    for path, text in files.items():
        (clone / path).write_text(text)
    for name, data in runbooks.ALL.items():
        (clone / "runbooks" / f"{name}.ipynb").write_bytes(data)
    for path, data in others.items():
        (clone / path).write_bytes(data)
    git("add", "-A", at=clone)
    assert git("commit", "-qm", "A small repository of runbooks", at=clone).returncode == 0
    pushed = git("push", "-q", "origin", "HEAD:main", at=clone, certificate=place.certificate)
    assert pushed.returncode == 0, pushed.stderr
