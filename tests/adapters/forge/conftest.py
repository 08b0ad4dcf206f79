"""One project for each test: a bare remote, clones of it, and people with keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.forge.site import Site, new_site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    made = new_site(tmp_path)
    yield made
    made.close()
