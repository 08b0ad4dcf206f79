"""The stand-in for its own tests and for those of the product that need a GitLab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitlab.app import Server
from tests.gitlab.contract import FILE
from tests.gitlab.running import serving
from tests.gitlab.seed import Seeded, seed
from tests.gitlab.site import Tier


@pytest.fixture(params=[Tier.FREE])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A stand-in that fails the test where it did not answer as GitLab may, or could not answer at all."""
    if not FILE.exists():
        pytest.skip("machine: GitLab's contract lies in the shared folder, which is not here")
    with serving(tmp_path / "gitlab", tier=request.param) as running:
        yield running
    assert running.contract is not None
    assert running.contract.broken == []
    assert running.missing == []


@pytest.fixture
def seeded(server: Server) -> Seeded:
    """Its project, people and tokens."""
    return seed(server)


premium = pytest.mark.parametrize("server", [Tier.PREMIUM], indirect=True)
"""Run a test on GitLab Premium."""
