"""Worlds for stories and for the tests that need a whole repository around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.gitlab.contract import FILE
from tests.gitlab.many import Many, serving_many
from tests.stories import world as worlds
from tests.stories.forges import GITLAB, PLAIN, GitLab
from tests.stories.told import ON_PLAIN_GIT_ALONE
from tests.stories.world import World

Place = Callable[[str], World]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tell every story that has a world on both forges, but for those that are listed with a reason."""
    if "founded" in metafunc.fixturenames:
        module = metafunc.module.__name__.rpartition(".")[2]
        alone = {module, f"{module}::{metafunc.function.__name__}"} & ON_PLAIN_GIT_ALONE.keys()
        # What is told again runs the same code again: the coverage of the first telling says it all, and costs a third.
        again = () if alone else (pytest.param(GITLAB, marks=pytest.mark.no_cover),)
        forges = (PLAIN, *again)
        metafunc.parametrize("founded", forges, indirect=True, scope="module")


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Where stories happen, by the name of the forge: each is founded once, when it is first asked for."""
    made: dict[str, World] = {}
    with ExitStack() as stack:

        def place(name: str) -> World:
            if name not in made:
                folder = tmp_path_factory.mktemp("founded") / "w"
                many: Many | None = stack.enter_context(serving_many()) if name == GITLAB else None
                made[name] = worlds.found(folder, forge=partial(GitLab.beginning, many) if many else None)
            return made[name]

        yield place


@pytest.fixture(scope="module")
def founded(request: pytest.FixtureRequest, places: Place) -> World:
    """A world that is only copied."""
    name = getattr(request, "param", PLAIN)
    if name == GITLAB and not FILE.exists():
        pytest.skip("machine: GitLab's contract lies in the shared folder, which is not here")
    return places(name)


@pytest.fixture
def world(founded: World, tmp_path: Path) -> Iterator[World]:
    """A fresh world."""
    made = worlds.copied(founded, tmp_path / "w")
    yield made
    made.forge.check()
    made.forge.end()
