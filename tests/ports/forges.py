"""The forges that the contract is run against. A new one joins by a class and a line in `FORGES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar, Protocol

from runner.adapters.forge.gitlab import GitLabForge
from runner.adapters.gitlab_asking import Asking
from runner.ports.forge import Forge
from tests.adapters.forge.site import new_site
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.running import serving
from tests.gitlab.seed import BOT, PROJECT, seed
from tests.gitlab.site import Freeze

ALICE, BOB, MALLORY = "alice@x", "bob@x", "mallory@x"
"""Alice and Bob are members, Mallory is not; a forge with user names maps these to its own."""


class Place(Protocol):
    """One project at a forge, seen by several people: no forge that it gives remembers another's reading."""

    def person(self, name: str) -> Forge:
        """The forge as one of the three, with whatever proves it at this forge."""
        ...

    def runner(self) -> Forge:
        """The forge as the runner."""
        ...

    def away(self) -> AbstractContextManager[None]:
        """While it lasts, the forge answers nobody."""
        ...

    def freeze(self, start: str, end: str, zone: str) -> bool:
        """Have people keep a freeze period there; False at a forge that has no such thing."""
        ...

    def close(self) -> None:
        """Let everything go."""
        ...


class PlainGit:
    """Clones of one bare remote."""

    def __init__(self, folder: Path) -> None:
        self._site = new_site(folder)

    def person(self, name: str) -> Forge:
        return self._site.forge(name)

    def runner(self) -> Forge:
        return self._site.forge("bot")

    @contextmanager
    def away(self) -> Iterator[None]:
        elsewhere = self._site.folder / "away.git"
        self._site.remote.rename(elsewhere)
        yield
        elsewhere.rename(self._site.remote)

    def freeze(self, start: str, end: str, zone: str) -> bool:  # noqa: ARG002 - policy alone has freezes here
        return False

    def close(self) -> None:
        self._site.close()


class GitLab:
    """A project at the stand-in for GitLab; strangers may write there, as in a project that is open to all users."""

    NAMES: ClassVar = {ALICE: "alice", BOB: "bob", MALLORY: "mallory"}

    def __init__(self, folder: Path) -> None:
        self._open = ExitStack()
        self._server = self._open.enter_context(serving(folder / "gitlab"))
        self._seeded = seed(self._server)
        self._seeded.project.internal = True

    def person(self, name: str) -> Forge:
        return self._forge(self.NAMES[name])

    def runner(self) -> Forge:
        return self._forge(BOT)

    def _forge(self, user: str) -> Forge:
        asking = Asking(self._server.base, self._seeded.tokens[user])
        return GitLabForge(asking, project=PROJECT, id_="lab-00000000", bot=BOT)

    @contextmanager
    def away(self) -> Iterator[None]:
        order = self._server.faults.order(Fault(kind=Kind.STATUS, status=503, times=1_000_000))
        yield
        order.times = 0

    def freeze(self, start: str, end: str, zone: str) -> bool:
        project, site = self._seeded.project, self._server.site
        made = Freeze(id=site.number(), start=start, end=end, zone=zone, created=site.clock())
        project.freezes[made.id] = made
        return True

    def close(self) -> None:
        self._open.close()
        assert self._server.missing == []
        assert self._server.contract is None or self._server.contract.broken == []


FORGES: dict[str, Callable[[Path], Place]] = {"local": PlainGit, "gitlab": GitLab}
