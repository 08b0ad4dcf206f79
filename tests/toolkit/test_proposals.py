"""Proposing from a cell: the same call in the runner's kernel and in plain Jupyter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.toolkit import files, present, propose


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folders that a worker gives."""
    for name in ("files", "proposal"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("RUNBOOK_FILES", str(tmp_path / "files"))
    monkeypatch.setenv("RUNBOOK_PROPOSAL", str(tmp_path / "proposal"))
    monkeypatch.setenv("RUNBOOK_PROPOSES", json.dumps(["infra/*.txt"]))
    (tmp_path / "files" / "infra").mkdir()
    (tmp_path / "files" / "infra" / "a.txt").write_text("one\ntwo\n")
    return tmp_path


def proposed(folder: Path) -> dict[str, str | None]:
    found = [json.loads(file.read_text()) for file in (folder / "proposal").iterdir()]
    return {one["path"]: one["text"] for one in found}


def test_a_proposal_is_left_for_the_runner_and_its_difference_is_shown(
    given: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    propose("infra/a.txt", "one\nthree\n")
    shown = capsys.readouterr().out
    assert shown.startswith("change infra/a.txt: +1 -1, sha256 ")
    assert "\n-two\n+three\n" in shown
    propose("infra/b.txt", "new\n")
    assert "add infra/b.txt: +1 -0" in capsys.readouterr().out
    propose("infra/a.txt", None)
    assert "remove infra/a.txt: +0 -2" in capsys.readouterr().out
    assert proposed(given) == {"infra/a.txt": None, "infra/b.txt": "new\n"}
    propose("infra/a.txt", "one\ntwo\n")
    assert capsys.readouterr().out == "infra/a.txt: no change\n"


def test_what_is_there_is_given_and_only_what_the_header_opens(given: Path) -> None:
    assert present("infra/a.txt") == "one\ntwo\n"
    assert present("infra/none.txt") is None
    assert files() == given / "files"
    for path in ("other/a.txt", "infra/a.yaml", "../infra/a.txt", "runbooks/x.txt"):
        with pytest.raises(ValueError, match="cannot be proposed"):
            present(path)
        with pytest.raises(ValueError, match="cannot be proposed"):
            propose(path, "x")


def test_a_file_that_is_too_large_or_no_text_is_refused(given: Path) -> None:
    with pytest.raises(ValueError, match="at most"):
        propose("infra/a.txt", "x" * (1024 * 1024 + 1))
    (given / "files" / "infra" / "b.txt").write_bytes(b"\xff")
    with pytest.raises(ValueError, match="UTF-8"):
        present("infra/b.txt")


def test_in_plain_jupyter_the_files_are_those_of_the_work_tree_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("RUNBOOK_FILES", "RUNBOOK_PROPOSAL", "RUNBOOK_PROPOSES"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".git").mkdir()
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "a.txt").write_text("old\n")
    monkeypatch.chdir(tmp_path / "runbooks")
    propose("infra/a.txt", "new\n")
    assert "-old" in capsys.readouterr().out
    assert (tmp_path / "infra" / "a.txt").read_text() == "old\n"
