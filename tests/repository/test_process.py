from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import OutsideError
from runner.repository.process import GitError, environment, git, without_urls


def test_it_gives_what_git_printed(tmp_path: Path) -> None:
    git(["init", "--quiet"], cwd=tmp_path)
    oid = git(["hash-object", "--stdin"], cwd=tmp_path, stdin=b"hello\n")
    assert oid == b"ce013625030ba8dba906f756967f9e9ca394464a\n"


def test_a_failure_says_what_was_being_done(tmp_path: Path) -> None:
    with pytest.raises(GitError) as caught:
        git(["rev-parse", "--verify", "nothing"], cwd=tmp_path, doing="looking for nothing")
    assert str(caught.value).startswith("looking for nothing: ")
    assert isinstance(caught.value, OutsideError)


def test_git_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    git(["init", "--quiet"], cwd=tmp_path)
    with pytest.raises(GitError, match="no answer"):
        git(["-c", "alias.wait=!sleep 30", "wait"], cwd=tmp_path, timeout=0.5)


def test_git_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError) as caught:
        git(["version"], cwd=tmp_path)
    assert "install git" in caught.value.hint


def test_what_would_point_git_elsewhere_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(tmp_path))
        assert name not in environment()
    assert environment()["GIT_TERMINAL_PROMPT"] == "0"


def test_no_hook_runs(tmp_path: Path) -> None:
    git(["init", "--quiet"], cwd=tmp_path)
    hook = tmp_path / ".git" / "hooks" / "pre-commit"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    env = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a"}
    git(["commit", "--quiet", "--allow-empty", "-m", "x"], cwd=tmp_path, env=env)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fatal: unable to access 'https://user:token@host/x.git/': no", "fatal: unable to access 'https://... no"),
        ("ssh://git@host/x failed", "ssh://... failed"),
        ("plain words", "plain words"),
    ],
)
def test_addresses_are_cut(text: str, expected: str) -> None:
    assert without_urls(text) == expected
