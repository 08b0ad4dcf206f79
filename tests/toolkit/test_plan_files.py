"""Keeping a file for the run: in the rehearsal, in the run, and by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.toolkit import plan_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNBOOK_PLAN_FILES", str(tmp_path))
    monkeypatch.delenv("RUNBOOK_MODE", raising=False)
    return tmp_path


def test_the_rehearsal_keeps_a_file_or_bytes(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    source = tmp_path_factory.mktemp("made") / "x"
    source.write_text("from a file")
    assert plan_files.keep("a.plan", source) == folder / "a.plan"
    assert plan_files.keep("b", b"bytes").read_bytes() == b"bytes"
    assert (folder / "a.plan").read_text() == "from a file"


@pytest.mark.parametrize("mode", ["run", "revert"])
def test_in_the_run_the_approved_file_stays_whatever_the_plan_cell_makes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    (folder / "a").write_bytes(b"approved")
    monkeypatch.setenv("RUNBOOK_MODE", mode)
    assert plan_files.keep("a", b"made again, differently").read_bytes() == b"approved"
    assert plan_files.kept("a").read_bytes() == b"approved"


def test_a_file_that_was_never_kept_is_said_to_be_missing(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="in a plan cell"):
        plan_files.kept("nothing")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".hidden", "x" * 101])
def test_a_name_is_one_plain_name(name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        plan_files.keep(name, b"")


def test_by_hand_it_works_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNBOOK_PLAN_FILES", raising=False)
    monkeypatch.setattr(plan_files, "_by_hand", [])
    assert plan_files.keep("a", b"1") == plan_files.kept("a")
