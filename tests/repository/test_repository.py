from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import OperatorError
from runner.repository.process import git
from runner.repository.repository import Repository


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    git(["init", "--quiet", "--bare", "remote.git"], cwd=tmp_path)
    git(["clone", "--quiet", "remote.git", "clone"], cwd=tmp_path)
    return tmp_path / "clone"


def test_a_clone_is_opened_from_any_folder_in_it(clone: Path) -> None:
    (clone / "deep" / "er").mkdir(parents=True)
    found = Repository.open(clone / "deep" / "er")
    assert found.path == clone.resolve()
    assert found.git_dir == clone.resolve() / ".git"
    assert (found.remote, found.remote_is_folder, found.bare, found.object_format) == ("origin", True, False, "sha1")


def test_a_bare_repository_is_opened_too(clone: Path) -> None:
    found = Repository.open(clone.parent / "remote.git")
    assert (found.bare, found.remote) == (True, None)
    assert found.path == found.git_dir


def test_the_only_remote_counts_and_of_several_only_origin(clone: Path) -> None:
    git(["remote", "rename", "origin", "upstream"], cwd=clone)
    assert Repository.open(clone).remote == "upstream"
    git(["remote", "add", "second", "https://example.org/x.git"], cwd=clone)
    assert Repository.open(clone).remote is None
    git(["remote", "add", "origin", "https://example.org/y.git"], cwd=clone)
    found = Repository.open(clone)
    assert (found.remote, found.remote_is_folder) == ("origin", False)


def test_what_is_no_clone_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(OperatorError) as caught:
            Repository.open(place)
        assert caught.value.hint


def test_a_shallow_clone_is_refused(clone: Path) -> None:
    env = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a"}
    for word in ("one", "two"):
        git(["commit", "--quiet", "--allow-empty", "-m", word], cwd=clone, env=env)
    git(["clone", "--quiet", "--depth=1", clone.as_uri(), "shallow"], cwd=clone.parent)
    with pytest.raises(OperatorError, match="shallow") as caught:
        Repository.open(clone.parent / "shallow")
    assert "unshallow" in caught.value.hint


def test_a_setting_is_read_or_is_none(clone: Path) -> None:
    git(["config", "user.email", "alice@example.org"], cwd=clone)
    found = Repository.open(clone)
    assert found.setting("user.email") == "alice@example.org"
    assert found.setting("runbook.nothing") is None
