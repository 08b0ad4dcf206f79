"""One real server for all tests of a process; each test has a document of its own words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.secrets import bao as baos
from tests.adapters.secrets.bao import Bao


@pytest.fixture(scope="session")
def _bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with baos.serving(tmp_path_factory.mktemp("bao")) as server:
        yield server


@pytest.fixture
def bao(_bao: Bao) -> Bao:
    """The server, unsealed, with the two secrets that most tests read."""
    _bao.write({"PW": "from-bao-9", "KEY": "line 1\nline 2", "EMPTY": "", "NUMBER": 5})
    return _bao
