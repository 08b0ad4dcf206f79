"""The forges that the contract is run against. A new one joins by a class and a line in `FORGES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from runner.ports.forge import Forge
from tests.adapters.forge.site import new_site

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

    def close(self) -> None:
        self._site.close()


FORGES: dict[str, Callable[[Path], Place]] = {"local": PlainGit}
