from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli.at_commit import opened
from runner.errors import OperatorError, RequestError
from tests.stories.world import git

from .conftest import commit


def oid(clone: Path, revision: str = "HEAD") -> str:
    return git(clone, "rev-parse", revision).decode().strip()


def test_without_a_word_it_is_the_protected_branch_and_not_what_is_checked_out(clone: Path) -> None:
    (clone / "file").write_text("one")
    commit(clone)
    git(clone, "checkout", "-q", "-b", "work")
    (clone / "file").write_text("two")
    commit(clone)
    objects, found = opened(clone, "")
    with objects:
        assert found == oid(clone, "main") != oid(clone)
        assert objects.read(found, "file") == b"one"


def test_another_protected_branch_is_configured_in_git(clone: Path) -> None:
    (clone / "file").write_text("one")
    commit(clone)
    git(clone, "checkout", "-q", "-b", "trunk")
    (clone / "file").write_text("two")
    commit(clone)
    git(clone, "config", "runbook.branch", "trunk")
    objects, found = opened(clone, "")
    objects.close()
    assert found == oid(clone, "trunk")


def test_where_there_is_no_protected_branch_it_is_what_is_checked_out(clone: Path) -> None:
    git(clone, "symbolic-ref", "HEAD", "refs/heads/other")
    (clone / "file").write_text("one")
    commit(clone)
    objects, found = opened(clone, "")
    objects.close()
    assert found == oid(clone)


def test_a_commit_can_be_named(clone: Path) -> None:
    (clone / "file").write_text("one")
    commit(clone)
    git(clone, "tag", "v1")
    (clone / "file").write_text("two")
    commit(clone)
    for name in ("v1", "HEAD~1", oid(clone, "v1")[:10]):
        objects, found = opened(clone, name)
        objects.close()
        assert found == oid(clone, "v1")


@pytest.mark.parametrize("name", ["nothing", "--all", "HEAD:file", "a\nb", "\x1b[2J"])
def test_a_commit_that_is_not_there_is_answered_in_words(clone: Path, name: str) -> None:
    (clone / "file").write_text("one")
    commit(clone)
    with pytest.raises(RequestError, match="no such commit"):
        opened(clone, name)


def test_an_empty_repository_and_a_folder_that_is_none(clone: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="nothing is committed yet"):
        opened(clone, "")
    with pytest.raises(OperatorError, match="not a Git repository"):
        opened(tmp_path, "")
    with pytest.raises(OperatorError, match="there is no such folder"):
        opened(tmp_path / "none", "")
