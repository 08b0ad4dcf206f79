from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.errors import OperatorError, OutsideError
from runner.repository import refs
from runner.repository.commits import Author, write
from runner.repository.objects import Objects
from runner.repository.process import GitError, git
from runner.repository.repository import Repository

WHO = Author(name="Alice", email="alice@example.org", when=datetime(2026, 11, 23, tzinfo=UTC))


@pytest.fixture
def clone(tmp_path: Path) -> Repository:
    git(["init", "--quiet", "--bare", "remote.git"], cwd=tmp_path)
    return another(tmp_path, "clone")


def another(folder: Path, name: str) -> Repository:
    git(["clone", "--quiet", "remote.git", name], cwd=folder)
    return Repository.open(folder / name)


def commit(repository: Repository, text: str, *, parent: str | None = None) -> str:
    with Objects(repository) as objects:
        return write(objects, {"a": text.encode()}, parent=parent, message=text, author=WHO, sign=None)


def hook(clone: Repository, text: str, *, name: str) -> None:
    script = clone.path.parent / "remote.git" / "hooks" / name
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)


def test_a_branch_moves_and_others_see_it(clone: Repository, tmp_path: Path) -> None:
    first = commit(clone, "one")
    assert refs.tip(clone, "evidence") is None
    assert refs.publish(clone, first, "evidence", expected=None)
    assert refs.tip(clone, "evidence") == first
    other = another(tmp_path, "other")
    refs.fetch(other, "evidence", "nothing")
    assert refs.tip(other, "evidence") == first
    assert refs.tip(other, "nothing") is None
    assert refs.heads(other) == {"evidence": first}


def test_whoever_is_second_is_told_and_nothing_is_overwritten(clone: Repository, tmp_path: Path) -> None:
    other = another(tmp_path, "other")
    first = commit(clone, "one")
    assert refs.publish(clone, first, "evidence", expected=None)
    assert not refs.publish(other, commit(other, "two"), "evidence", expected=None)
    refs.fetch(other, "evidence")
    assert refs.tip(other, "evidence") == first
    assert refs.publish(other, commit(other, "two", parent=first), "evidence", expected=first)
    assert not refs.publish(clone, commit(clone, "three", parent=first), "evidence", expected=first)


def test_without_a_remote_the_branch_moves_by_compare_and_swap(tmp_path: Path) -> None:
    git(["init", "--quiet", "alone"], cwd=tmp_path)
    alone = Repository.open(tmp_path / "alone")
    first = commit(alone, "one")
    assert refs.publish(alone, first, "evidence", expected=None)
    assert not refs.publish(alone, commit(alone, "two"), "evidence", expected=None)
    assert refs.publish(alone, commit(alone, "two", parent=first), "evidence", expected=first)
    assert not refs.publish(alone, commit(alone, "three", parent=first), "evidence", expected=first)
    refs.fetch(alone, "evidence")


def test_an_answer_that_is_lost_is_trouble_though_the_push_arrived(clone: Repository) -> None:
    hook(clone, "kill -9 $PPID", name="post-receive")
    first = commit(clone, "one")
    with pytest.raises(OutsideError) as caught:
        refs.publish(clone, first, "evidence", expected=None)
    assert not isinstance(caught.value, OperatorError)
    assert refs.heads(clone) == {"evidence": first}


@pytest.mark.parametrize("name", ["pre-receive", "update"])
def test_a_refusal_is_the_operators_business(clone: Repository, name: str) -> None:
    hook(clone, "echo protected branch >&2; exit 1", name=name)
    with pytest.raises(OperatorError) as caught:
        refs.publish(clone, commit(clone, "one"), "evidence", expected=None)
    assert "evidence" in str(caught.value)


def test_a_remote_that_is_away_is_outside_trouble(clone: Repository, tmp_path: Path) -> None:
    (tmp_path / "remote.git").rename(tmp_path / "away")
    for act in (
        lambda: refs.fetch(clone, "evidence"),
        lambda: refs.heads(clone),
        lambda: refs.publish(clone, commit(clone, "one"), "evidence", expected=None),
    ):
        with pytest.raises(OutsideError) as caught:
            act()
        assert caught.value.exit_code == 5
        assert caught.value.hint


def test_no_error_shows_what_an_address_holds(clone: Repository) -> None:
    git(["remote", "set-url", "origin", "https://oauth2:tokenvalue@localhost:1/x.git?private=1"], cwd=clone.path)
    with pytest.raises(OutsideError) as caught:
        refs.fetch(clone, "evidence")
    assert "tokenvalue" not in str(caught.value)
    assert "private" not in str(caught.value)


def test_an_exotic_transport_is_refused(clone: Repository, tmp_path: Path) -> None:
    git(["remote", "set-url", "origin", f"ext::sh -c touch% {tmp_path}/owned"], cwd=clone.path)
    with pytest.raises(OutsideError):
        refs.fetch(clone, "evidence")
    assert not (tmp_path / "owned").exists()


def test_a_scratch_branch_is_shown_whatever_was_there_and_removed(clone: Repository) -> None:
    refs.show(clone, commit(clone, "one"), "beat")
    second = commit(clone, "two")
    refs.show(clone, second, "beat")
    assert refs.heads(clone, "beat") == {"beat": second}
    refs.remove(clone, "beat")
    refs.remove(clone, "beat")
    assert refs.heads(clone) == {}


def test_what_was_fetched_of_a_scratch_branch_is_forgotten_and_the_branch_stays(
    clone: Repository, tmp_path: Path
) -> None:
    first = commit(clone, "a")
    refs.show(clone, first, "scratch/a")
    other = another(tmp_path, "other")
    refs.fetch(other, "scratch/a")
    assert refs.tip(other, "scratch/a") == first
    refs.forget(other, "scratch/a")
    assert refs.tip(other, "scratch/a") is None
    assert refs.heads(other, "scratch/*") == {"scratch/a": first}


def test_ancestors_are_told_from_strangers(clone: Repository) -> None:
    first = commit(clone, "one")
    second = commit(clone, "two", parent=first)
    assert refs.is_ancestor(clone, first, second)
    assert not refs.is_ancestor(clone, second, first)
    assert not refs.is_ancestor(clone, "0" * 40, second)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("fatal: could not read Username for 'https://git.example.org': terminal prompts disabled", 6),
        ("fatal: Authentication failed for 'https://git.example.org/x.git/'", 6),
        ("fatal: unable to access: The requested URL returned error: 403", 6),
        ("fatal: unable to access: The requested URL returned error: 502", 5),
        ("fatal: unable to access: Could not resolve host: git.example.org", 5),
    ],
)
def test_credentials_that_are_not_taken_are_the_operators_and_all_else_passes(
    clone: Repository, monkeypatch: pytest.MonkeyPatch, *, said: str, code: int
) -> None:
    def fails(*_args: object, **_more: object) -> bytes:
        raise GitError("running git", said, stderr=said)

    monkeypatch.setattr(refs, "git", fails)
    for ask in (lambda: refs.heads(clone), lambda: refs.fetch(clone, "main")):
        with pytest.raises(OutsideError) as caught:
            ask()
        assert caught.value.exit_code == code
        assert ("valid credentials" in caught.value.hint) is (code == 6)
