"""Places where changes are reviewed, for the contract: a change is proposed by the runner, and Bob does the rest."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import gitlab

from runner.adapters.forge.gitlab import GitLabForge
from runner.adapters.forge.local_review import LocalReviews
from runner.adapters.gitlab_asking import Asking
from runner.ports.review import Reviews
from runner.repository import refs
from runner.repository.commits import Author, write
from runner.repository.objects import Objects
from runner.repository.people import allowed_signers
from tests.adapters.forge.site import NOW, git, new_site
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.repository import Repository
from tests.gitlab.running import serving
from tests.gitlab.seed import BOT, PROJECT, seed

FILE, OLD, NEW = "infra/a.txt", b"old\n", b"new\n"
MARK = "Runbook-Plan: sha256:" + "a" * 64
MESSAGE = f"Runbook a: b\n\n{MARK}\n"
WAYS = ("merge", "squash", "rebase", "forward")
"""How people merge."""


class Place(Protocol):
    """One project; `bob` is what policy calls him there."""

    bob: str
    base: str

    def reviews(self) -> Reviews:
        """The reviews as the runner sees them who has just come."""
        ...

    def propose(self, source: str) -> str:
        """Push a branch with the change, and return its commit."""
        ...

    def merge(self, source: str, way: str) -> None:
        """Bob merges it."""
        ...

    def edit(self, source: str) -> str:
        """Bob adds a commit to the branch, and returns it."""
        ...

    def close(self, source: str) -> None:
        """Bob ends the review without merging."""
        ...

    def content(self, commit: str) -> bytes:
        """The file at a commit of the protected branch."""
        ...

    def away(self) -> AbstractContextManager[None]:
        """While it lasts, nobody answers."""
        ...

    def leave(self) -> None:
        """Let everything go."""
        ...


class PlainGit:
    """Clones of one bare remote."""

    bob = "bob@x"

    def __init__(self, folder: Path) -> None:
        self._site = new_site(folder)
        for name in ("bob@x", "bot"):
            key = self._site.key(name)
            (folder / "keys" / f"{name}.pub").write_text(key.public_key + "\n")
        clone = self._site.clone("bob@x")
        for setting, value in (("gpg.format", "ssh"), ("user.signingkey", str(folder / "keys" / "bob@x.pub"))):
            git(clone, "config", setting, value)
        (clone / "infra").mkdir()
        (clone / FILE).write_bytes(OLD)
        git(clone, "add", "-A")
        git(clone, "commit", "-q", "-m", "base")
        git(clone, "push", "-q", "origin", "HEAD:main")
        self.base = git(clone, "rev-parse", "HEAD")

    def _fetched(self) -> Objects:
        objects = self._site.objects("bot")
        refs.fetch(objects.repository, "main")
        return objects

    def reviews(self) -> Reviews:
        signers = "".join(f'{name} namespaces="git" {self._site.key(name).public_key}\n' for name in ("bob@x",))
        return LocalReviews(self._fetched(), people=allowed_signers(signers))

    def propose(self, source: str) -> str:
        objects, key = self._fetched(), self._site.key("bot")
        author = Author(name="runbook", email="bot@x", when=NOW)
        sign = key.sign_ssh
        commit = write(
            objects, {FILE: NEW}, parent=self.base, message=MESSAGE, author=author,
            sign=lambda data: sign(data, namespace="git"),
        )  # fmt: skip
        assert refs.publish(objects.repository, commit, source, expected=None)
        return commit

    def _bob(self, source: str) -> Path:
        clone = self._site.clone("bob@x")
        git(clone, "fetch", "-q", "origin")
        git(clone, "checkout", "-q", "-B", "main", "origin/main")
        git(clone, "checkout", "-q", "-B", "work", f"origin/{source}")
        return clone

    def merge(self, source: str, way: str) -> None:
        clone = self._bob(source)
        if way == "rebase":
            _other(clone)
            git(clone, "checkout", "-q", "work")
            git(clone, "rebase", "-q", "-S", "main")
        git(clone, "checkout", "-q", "main")
        match way:
            case "merge":
                git(clone, "merge", "-q", "--no-ff", "-S", "-m", "Merge", "work")
            case "squash":
                git(clone, "merge", "-q", "--squash", "work")
                git(clone, "commit", "-q", "-S", "-C", "work")
            case _:
                git(clone, "merge", "-q", "--ff-only", "work")
        git(clone, "push", "-q", "origin", "HEAD:main")

    def edit(self, source: str) -> str:
        return _edited(self._bob(source), source)

    def close(self, source: str) -> None:
        git(self._site.clone("bob@x"), "push", "-q", "origin", f":{source}")

    def content(self, commit: str) -> bytes:
        return self._fetched().read(commit, FILE) or b""

    @contextmanager
    def away(self) -> Iterator[None]:
        elsewhere = self._site.folder / "away.git"
        self._site.remote.rename(elsewhere)
        yield
        elsewhere.rename(self._site.remote)

    def leave(self) -> None:
        self._site.close()


class GitLab:
    """A project at the stand-in."""

    bob = "bob"

    def __init__(self, folder: Path) -> None:
        self._open = ExitStack()
        self.server = self._open.enter_context(serving(folder / "gitlab"))
        self.seeded = seed(self.server)
        self.repository = Repository(self.seeded.project.folder)
        self.repository.git("config", "http.receivepack", "true")
        self._folder = folder
        self.base = self.repository.write("main", {FILE: OLD}, start="main", message="base", by=("Bob", "bob@x"))

    def reviews(self) -> Reviews:
        asking = Asking(self.server.base, self.seeded.tokens[BOT])
        return GitLabForge(asking, project=PROJECT, id_="lab-00000000", bot=BOT).reviews

    def propose(self, source: str) -> str:
        return self.repository.write(source, {FILE: NEW}, start="main", message=MESSAGE, by=("runbook", "bot@x"))

    def as_bob(self) -> Any:
        return gitlab.Gitlab(self.server.base, private_token=self.seeded.tokens["bob"]).projects.get(PROJECT)

    def _request(self, source: str) -> Any:
        (found,) = self.as_bob().mergerequests.list(source_branch=source, state="opened", get_all=True)
        return found

    def _clone(self, source: str) -> Path:
        clone = self._folder / "bob"
        if not clone.exists():
            url = self.server.base.replace("://", f"://oauth2:{self.seeded.tokens['bob']}@")
            subprocess.run(["git", "clone", "-q", f"{url}/{PROJECT}.git", str(clone)], check=True, capture_output=True)
            git(clone, "config", "user.name", "Bob")
            git(clone, "config", "user.email", "bob@x")
        git(clone, "fetch", "-q", "origin")
        git(clone, "checkout", "-q", "-B", "main", "origin/main")
        git(clone, "checkout", "-q", "-B", "work", f"origin/{source}")
        return clone

    def merge(self, source: str, way: str) -> None:
        if way == "rebase":
            clone = self._clone(source)
            _other(clone)
            git(clone, "push", "-q", "origin", "HEAD:main")
            git(clone, "checkout", "-q", "work")
            git(clone, "rebase", "-q", "main")
            git(clone, "push", "-q", "--force", "origin", f"work:{source}")
        self.seeded.project.merge_method = "merge" if way in {"merge", "squash"} else "ff"
        self._request(source).merge(squash=way == "squash")

    def edit(self, source: str) -> str:
        return _edited(self._clone(source), source)

    def close(self, source: str) -> None:
        request = self._request(source)
        request.state_event = "close"
        request.save()

    def content(self, commit: str) -> bytes:
        return self.repository.read(commit, FILE) or b""

    @contextmanager
    def away(self) -> Iterator[None]:
        order = self.server.faults.order(Fault(kind=Kind.STATUS, status=503, times=1_000_000))
        yield
        order.times = 0

    def leave(self) -> None:
        self._open.close()
        assert self.server.missing == []
        assert self.server.contract is None or self.server.contract.broken == [], self.server.contract.broken


PLACES: dict[str, Callable[[Path], Place]] = {"plain git": PlainGit, "gitlab": GitLab}


def _other(clone: Path) -> None:
    """Somebody else was first."""
    git(clone, "checkout", "-q", "main")
    (clone / "other").write_text("other\n")
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "other")


def _edited(clone: Path, source: str) -> str:
    (clone / FILE).write_text("edited\n")
    git(clone, "commit", "-q", "-a", "-m", "edit")
    git(clone, "push", "-q", "origin", f"work:{source}")
    return git(clone, "rev-parse", "HEAD")
