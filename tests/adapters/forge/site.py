"""A bare remote, clones of it, and people with keys."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from runner.adapters.forge.local import LocalForge
from runner.adapters.signer.ssh import SshSigner, generate
from runner.repository.objects import Objects
from runner.repository.repository import Repository

NOW = datetime(2026, 11, 23, 2, 30, 28, tzinfo=UTC)


def git(where: Path, *arguments: str, stdin: bytes = b"") -> str:
    command = ["git", "-C", str(where), *arguments]
    return subprocess.run(command, input=stdin, check=True, capture_output=True).stdout.decode().strip()


@dataclass
class Site:
    """One project: a bare remote, and a way to open the forge as anybody from a clone of their own."""

    folder: Path
    project: str = "p1"
    people: dict[str, SshSigner] = field(default_factory=dict)
    opened: list[Objects] = field(default_factory=list)
    strangers: tuple[str, ...] = ("mallory@x",)

    @property
    def remote(self) -> Path:
        return self.folder / "remote.git"

    @property
    def signers(self) -> str:
        known = {name: one for name, one in self.people.items() if name not in (*self.strangers, "bot")}
        return "".join(f'{name} namespaces="runbook-comment" {one.public_key}\n' for name, one in known.items())

    def key(self, name: str) -> SshSigner:
        if name not in self.people:
            self.people[name] = generate(self.folder / "keys" / name)
        return self.people[name]

    def clone(self, name: str) -> Path:
        path = self.folder / "clones" / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            subprocess.run(["git", "clone", "-q", str(self.remote), str(path)], check=True, capture_output=True)
            git(path, "config", "user.email", name)
            git(path, "config", "user.name", name.partition("@")[0].title())
        return path

    def objects(self, name: str) -> Objects:
        objects = Objects(Repository.open(self.clone(name)))
        self.opened.append(objects)
        return objects

    def forge(self, name: str, *, signed: bool = True) -> LocalForge:
        """Open the forge afresh, as a person (or the runner, as `bot`)."""
        key = self.key(name)
        objects = self.objects(name)
        if name == "bot":
            return LocalForge.for_bot(
                objects, project=self.project, branch="issues", signers=self.signers, bot="bot",
                bot_keys=(self.key("bot").public_key,), now=lambda: NOW, signer=key,
            )  # fmt: skip
        return LocalForge.for_person(
            objects, project=self.project, branch="issues", signers=self.signers, bot="bot",
            bot_keys=(self.key("bot").public_key,), now=lambda: NOW, signer=lambda: key if signed else None,
        )  # fmt: skip

    def by_hand(self, change: Callable[[Path], None], *, force: bool = False) -> None:
        """Change the branch as somebody who can push might: with an ordinary work tree."""
        path = self.folder / "by-hand"
        if not path.exists():
            subprocess.run(["git", "clone", "-q", str(self.remote), str(path)], check=True, capture_output=True)
            git(path, "config", "user.email", "mallory@x")
            git(path, "config", "user.name", "Mallory")
        git(path, "fetch", "-q", "origin")
        git(path, "checkout", "-q", "-B", "issues", "origin/issues")
        change(path)
        git(path, "add", "-A")
        git(path, "commit", "-q", "--allow-empty", "-m", "by hand")
        git(path, "push", "-q", *(["--force"] if force else []), "origin", "issues")

    def close(self) -> None:
        for objects in self.opened:
            objects.close()


def new_site(folder: Path) -> Site:
    """A site with Alice, Bob and the runner."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder / "remote.git")], check=True)
    made = Site(folder=folder)
    for name in ("alice@x", "bob@x", "bot"):
        made.key(name)
    return made
