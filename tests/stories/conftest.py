"""Worlds for stories and for the tests that need a whole repository around them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories import world as worlds
from tests.stories.world import World


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world that is only copied."""
    return worlds.found(tmp_path_factory.mktemp("founded") / "w")


@pytest.fixture
def world(founded: World, tmp_path: Path) -> World:
    """A fresh world."""
    return worlds.copied(founded, tmp_path / "w")
