"""Where people meet in the stories: on plain Git, or on GitLab. Each story is told with the same words on both.

On GitLab people write in the browser (here: python-gitlab with their own token), on the command line with their own
token and no key of the runner's, and the runner has its own. On plain Git there is no server: whoever types a command
also carries out what follows from it, if their machine has a key.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from runner import wiring
from runner.adapters.forge.gitlab import GitLabForge
from runner.adapters.gitlab_asking import Asking
from runner.ports.forge import Forge, IssueId, Thread
from tests.gitlab.app import Server
from tests.gitlab.clients import client
from tests.gitlab.many import Many, copied
from tests.gitlab.seed import BOT, PROJECT, Seeded, seed
from tests.gitlab.site import Site

PLAIN, GITLAB = "plain Git", "GitLab"
_RUNNERS = frozenset({"init", "reconcile", "serve"})
"""Commands that only the runner types."""
_SEEN_BY = "bob"


class AtForge(Protocol):
    """How people speak and are known at one forge. `world` is a folder with everybody's things in it."""

    @property
    def name(self) -> str:
        """How tests call it."""
        ...

    def id(self, person: str) -> str:
        """What a person is called here."""
        ...

    def settings(self, text: str) -> str:
        """Settings of the repository, as this forge needs them."""
        ...

    def policy(self, text: str) -> str:
        """A policy that names people by their addresses, in the names of this forge."""
        ...

    def seat(self, world: Path, *, words: tuple[str, ...], person: str, host: str) -> tuple[str, dict[str, str]]:
        """On which host a command is typed, and what makes a process be the one who types it; no words: the runner."""
        ...

    def open_issue(self, world: Path, person: str, *, title: str, body: str) -> str:
        """Open an issue and return its number."""
        ...

    def say(self, world: Path, person: str, *, issue: str, words: str) -> str:
        """Write a comment and return its id."""
        ...

    def edit(self, world: Path, person: str, *, issue: str, comment: str, words: str) -> None:
        """Change one's own comment."""
        ...

    def close(self, world: Path, person: str, *, issue: str) -> None:
        """Close an issue."""
        ...

    def merge(self, world: Path, person: str, *, source: str) -> str:
        """Merge a branch that the runner has put up for review, and return the merged commit."""
        ...

    def thread(self, world: Path, issue: str) -> Thread:
        """An issue as somebody sees it who just came."""
        ...

    def without(self, person: str) -> Mapping[str, str]:
        """Let a member go; which files of the protected branch that takes, with an expression for what goes there."""
        ...

    def copied(self, world: Path) -> AtForge:
        """The same forge for a copy of the world, which goes its own way from now on."""
        ...

    def check(self) -> None:
        """Assert that nothing was wrong with it."""
        ...

    def end(self) -> None:
        """Let it go."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainGit:
    """Comments are signed entries of a branch."""

    name: str = PLAIN

    def id(self, person: str) -> str:
        """The principal of a key."""
        return f"{person}@example.org"

    def settings(self, text: str) -> str:
        """As they are."""
        return text

    def policy(self, text: str) -> str:
        """As it is."""
        return text

    def seat(self, world: Path, *, words: tuple[str, ...], person: str, host: str) -> tuple[str, dict[str, str]]:
        """Everybody types where they are, and is known by the clone."""
        del world, words, person
        return host, {"GIT_CONFIG_GLOBAL": os.devnull}

    @contextmanager
    def _as(self, world: Path, person: str) -> Iterator[Forge]:
        opened = wiring.open_workspace(world / person)
        with opened.objects:
            yield opened.forge_as_person()

    def open_issue(self, world: Path, person: str, *, title: str, body: str) -> str:
        """In the person's clone, signed with their key."""
        with self._as(world, person) as forge:
            return forge.open_issue(title, body).id

    def say(self, world: Path, person: str, *, issue: str, words: str) -> str:
        """The same."""
        with self._as(world, person) as forge:
            return forge.comment(IssueId(issue), words).id

    def edit(self, world: Path, person: str, *, issue: str, comment: str, words: str) -> None:
        """An entry that replaces the text of an earlier one."""
        with self._as(world, person) as forge:
            forge.edit(next(one for one in forge.thread(IssueId(issue)).comments if one.id == comment), words)

    def close(self, world: Path, person: str, *, issue: str) -> None:
        """An entry, too."""
        with self._as(world, person) as forge:
            forge.close(IssueId(issue))

    def merge(self, world: Path, person: str, *, source: str) -> str:
        """With Git, signed with the person's own key."""
        clone = world / person
        for words in (
            ("fetch", "-q", "origin"),
            ("checkout", "-q", "-B", "main", "origin/main"),
            ("merge", "-q", "--no-ff", "-S", "-m", "Merge it", f"origin/{source}"),
            ("push", "-q", "origin", "HEAD:main"),
        ):
            subprocess.run(["git", "-C", str(clone), *words], check=True, capture_output=True)
        found = subprocess.run(["git", "-C", str(clone), "rev-parse", "HEAD"], check=True, capture_output=True)
        return found.stdout.decode().strip()

    def thread(self, world: Path, issue: str) -> Thread:
        """As Bob's clone has it."""
        with self._as(world, _SEEN_BY) as forge:
            return forge.thread(IssueId(issue))

    def without(self, person: str) -> Mapping[str, str]:
        """The line with their key goes."""
        return {"runbooks/allowed_signers": rf"(?m)^{person}@.*\n"}

    def copied(self, world: Path) -> PlainGit:
        """All of it is in the repository."""
        del world
        return self

    def check(self) -> None:
        """It is a branch, which others look at."""

    def end(self) -> None:
        """Nothing is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLab:
    """A project at the stand-in. Mallory is a user of that GitLab who may write there and is a member of nothing."""

    many: Many
    server: Server
    seeded: Seeded
    copies: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    name: str = GITLAB

    @classmethod
    def beginning(cls, many: Many, world: Path) -> GitLab:
        """A project whose repository is the remote of a world."""
        server = Server(site=Site(world / "gitlab"), base=many.base)
        seeded = seed(server)
        seeded.project.folder, seeded.project.internal = world / "remote.git", True
        made = cls(many=many, server=many.join(server.site), seeded=seeded)
        made._furnish(world)
        return made

    def _furnish(self, world: Path) -> None:
        """Give everybody a Git configuration of their own, whose helper knows their token."""
        for person, token in self.seeded.tokens.items():
            credentials = world / f"{person}.credentials"
            credentials.touch(mode=0o600)
            credentials.write_text(f"{self.server.base.replace('://', f'://oauth2:{token}@')}\n")
            (world / f"{person}.gitconfig").write_text(f"[credential]\n\thelper = store --file {credentials}\n")

    def id(self, person: str) -> str:
        """The user name."""
        return person

    def settings(self, text: str) -> str:
        """With where GitLab is, and whose words are the runner's; what is no table of settings stays what it is."""
        more = f'forge = "gitlab"\ngitlab = "{self.server.base}"\ngitlab-project = "{PROJECT}"\nbot = "{BOT}"\n'
        return text.replace("[tool.runbook]\n", f"[tool.runbook]\n{more}")

    def policy(self, text: str) -> str:
        """By user names."""
        return text.replace("@example.org", "")

    def seat(self, world: Path, *, words: tuple[str, ...], person: str, host: str) -> tuple[str, dict[str, str]]:
        """The runner is on its host; a person is on a machine of their own, which has no key of the runner's."""
        runner = not words or words[0] in _RUNNERS
        name = BOT if runner else person
        return host if runner else f"of-{person}", {"GIT_CONFIG_GLOBAL": str(world / f"{name}.gitconfig")}

    def _project(self, person: str) -> Any:
        seen = client(self.server, self.seeded.tokens[person])
        return seen.projects.get(self.seeded.project.id, lazy=True)

    def open_issue(self, world: Path, person: str, *, title: str, body: str) -> str:
        """In the browser."""
        del world
        return str(self._project(person).issues.create({"title": title, "description": body}).iid)

    def say(self, world: Path, person: str, *, issue: str, words: str) -> str:
        """In the browser."""
        del world
        note = self._project(person).issues.get(int(issue), lazy=True).notes.create({"body": words})
        return f"{issue}/{note.id}"

    def edit(self, world: Path, person: str, *, issue: str, comment: str, words: str) -> None:
        """In the browser."""
        del world
        notes = self._project(person).issues.get(int(issue), lazy=True).notes
        notes.update(int(comment.rpartition("/")[2]), {"body": words})

    def close(self, world: Path, person: str, *, issue: str) -> None:
        """With the button."""
        del world
        self._project(person).issues.update(int(issue), {"state_event": "close"})

    def merge(self, world: Path, person: str, *, source: str) -> str:
        """With the button."""
        del world
        (request,) = self._project(person).mergerequests.list(source_branch=source, state="opened", get_all=True)
        request.merge()
        return str(request.merge_commit_sha)

    def thread(self, world: Path, issue: str) -> Thread:
        """As Bob's client reads it, from the beginning."""
        del world
        asking = Asking(self.server.base, self.seeded.tokens[_SEEN_BY])
        return GitLabForge(asking, project=PROJECT, id_="lab-00000000", bot=BOT).thread(IssueId(issue))

    def without(self, person: str) -> Mapping[str, str]:
        """A maintainer removes them from the project; no file is changed."""
        user = self.server.site.named(person)
        assert user is not None
        del self.seeded.project.members[user.id]
        return {}

    def copied(self, world: Path) -> GitLab:
        """A site of its own, behind other tokens."""
        site = copied(self.server.site, world / "gitlab", mark=f"{next(self.copies)}")
        (project,) = site.projects.values()
        project.folder = world / "remote.git"
        tokens = {token.user.username: token.value for token in site.tokens.values()}
        seeded = Seeded(project=project, tokens=tokens)
        made = GitLab(many=self.many, server=self.many.join(site), seeded=seeded, copies=self.copies)
        made._furnish(world)
        return made

    def check(self) -> None:
        """Nobody asked for what the stand-in cannot answer, and it answered as GitLab may."""
        assert self.server.missing == []
        assert self.server.contract is None or self.server.contract.broken == []

    def end(self) -> None:
        """Nobody answers there any more."""
        self.many.leave(self.server)


def cut(text: str, expression: str) -> str:
    """A text without what fits."""
    return re.sub(expression, "", text)
