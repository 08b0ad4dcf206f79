"""Looking at a remote on plain Git: a folder tells what it refuses; over the network nobody can ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.adapters.forge.local_inspection import LocalInspector
from runner.errors import OperatorError
from runner.ports.premises import Blind, Premises, Skew, Unseen, Wanted
from runner.repository.objects import Objects
from runner.repository.repository import Repository
from tests.gitlab.clients import committed, git


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git("init", "-q", "--bare", "-b", "main", "remote.git", at=tmp_path)
    git("clone", "-q", "remote.git", "clone", at=tmp_path)
    made = tmp_path / "clone"
    for name, value in {"user.name": "Somebody", "user.email": "somebody@example.org"}.items():
        git("config", name, value, at=made)
    committed(made, {"a": "b"})
    assert git("push", "-q", "origin", "HEAD:main", at=made).returncode == 0
    return made


def look(clone: Path, *, ahead: float = 0.0) -> Premises:
    with Objects(Repository.open(clone)) as objects:
        now = datetime.now(UTC) + timedelta(seconds=ahead)
        return LocalInspector(objects, now=lambda: now).look(Wanted())


def test_a_remote_that_keeps_its_history_is_told_from_one_that_does_not(clone: Path) -> None:
    loose = look(clone).protections
    git("config", "receive.denyNonFastForwards", "true", at=clone.parent / "remote.git")
    git("config", "receive.denyDeletes", "true", at=clone.parent / "remote.git")
    kept = look(clone).protections
    assert isinstance(loose, tuple)
    assert isinstance(kept, tuple)
    assert (loose[0].force, kept[0].force) == (True, False)


def test_the_clock_is_beside_the_newest_commit_of_the_remote(clone: Path) -> None:
    skew = look(clone, ahead=-3600).skew
    assert isinstance(skew, Skew)
    assert (skew.rough, -3700 < skew.seconds < -3500) == (True, True)


def test_a_remote_that_is_away_or_on_the_network_is_not_seen(clone: Path) -> None:
    git("remote", "set-url", "origin", str(clone.parent / "gone.git"), at=clone)
    assert isinstance(look(clone).skew, Unseen)
    git("remote", "set-url", "origin", "https://127.0.0.1:9/x.git", at=clone)
    protections = look(clone).protections
    assert isinstance(protections, Unseen)
    assert protections.blind is Blind.RIGHT


def test_a_clone_that_is_its_own_remote_has_nothing_to_protect_and_plain_git_delivers_nothing(clone: Path) -> None:
    git("remote", "remove", "origin", at=clone)
    assert look(clone).protections is None
    with Objects(Repository.open(clone)) as objects, pytest.raises(OperatorError, match="no webhooks"):
        LocalInspector(objects, now=lambda: datetime.now(UTC)).deliver(1)
