from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from runner.cli import demo_stage
from runner.errors import OutsideError, RequestError


def test_an_empty_folder_is_a_stage_and_a_new_one_is_made(tmp_path: Path) -> None:
    assert demo_stage.stage_in(tmp_path).folder == tmp_path
    assert demo_stage.stage_in(tmp_path / "a" / "b").folder.is_dir()


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("mine")
    with pytest.raises(RequestError, match="not empty"):
        demo_stage.stage_in(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".hidden"]


def test_a_file_is_no_stage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="not a folder"):
        demo_stage.stage_in(tmp_path / "file")


def test_a_folder_that_cannot_be_made_is_said_to_be_so() -> None:
    with pytest.raises(OutsideError, match="cannot be made"):
        demo_stage.stage_in(Path("/proc/nothing/here"))


def test_a_name_that_the_runbook_would_refuse_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="characters"):
        demo_stage.stage_in(tmp_path / "a$b")
    assert not list(tmp_path.iterdir())


def test_the_users_own_git_does_not_get_in_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    monkeypatch.setenv("RUNBOOK_STATE", "/mine")
    before = dict(os.environ)
    stage = demo_stage.stage_in(tmp_path)
    with demo_stage.surroundings(stage):
        assert "GIT_AUTHOR_NAME" not in os.environ
        assert os.environ["GIT_CONFIG_GLOBAL"] == os.devnull
        assert os.environ["RUNBOOK_STATE"] == str(stage.state)
    assert dict(os.environ) == before


def test_two_people_get_a_clone_and_a_key_each_that_nobody_else_can_read(tmp_path: Path) -> None:
    stage = demo_stage.stage_in(tmp_path)
    with demo_stage.surroundings(stage):
        demo_stage.make_remote(stage)
        lines = {demo_stage.clone_for(stage, name) for name in ("alice", "bob")}
    assert len({line.split()[-1] for line in lines}) == 2
    for name in ("alice", "bob"):
        assert stat.S_IMODE((tmp_path / f"{name}.key").stat().st_mode) == 0o600
