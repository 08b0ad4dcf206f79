"""The password that Git itself would use."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.repository.credential import password
from runner.repository.process import git
from runner.repository.repository import Repository


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    git(["init", "-q", "."], cwd=tmp_path)
    return Repository.open(tmp_path)


def test_a_helper_is_asked_for_the_server_and_nothing_more(repository: Repository) -> None:
    seen = repository.path / "seen"
    helper = f"!f() {{ cat > {seen}; echo username=oauth2; echo password=glpat-1; }}; f"
    git(["config", "credential.helper", helper], cwd=repository.path)
    assert password(repository, "https://gitlab.example.org:8443/ops/runbooks?x=1") == "glpat-1"
    said = dict(line.partition("=")[::2] for line in seen.read_text().splitlines())
    assert (said["protocol"], said["host"], said.get("path")) == ("https", "gitlab.example.org:8443", None)


def test_without_a_helper_there_is_none_and_nobody_is_asked(repository: Repository) -> None:
    assert password(repository, "https://gitlab.example.org") is None


def test_a_helper_that_knows_nothing_is_none(repository: Repository) -> None:
    git(["config", "credential.helper", "!true"], cwd=repository.path)
    assert password(repository, "https://gitlab.example.org") is None


def test_a_user_gets_only_what_the_helpers_have_for_that_user(repository: Repository, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("https://oauth2:bots@gitlab.example.org\nhttps://starter:glptt-1@gitlab.example.org\n")
    git(["config", "credential.helper", f"store --file {kept}"], cwd=repository.path)
    assert password(repository, "https://gitlab.example.org", user="starter") == "glptt-1"
    assert password(repository, "https://gitlab.example.org", user="stranger") is None
    git(["config", "credential.helper", "!printf 'username=oauth2\npassword=bots\n';:"], cwd=repository.path)
    assert password(repository, "https://gitlab.example.org", user="starter") is None
