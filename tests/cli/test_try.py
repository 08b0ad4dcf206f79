from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli.main import run
from tests.stories import proposals, runbooks


@pytest.mark.parametrize("given", ["host", "=x", "host=a,host=b", "folder=&a x", "folder=!!python/name:os.system"])
def test_a_value_that_is_none_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    path = tmp_path / "look.ipynb"
    path.write_bytes(runbooks.LOOK)
    words = [part for one in given.split(",") for part in ("-p", one)]
    assert run(["try", str(path), *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "runbook: " in said.err


def test_what_is_no_notebook_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text("{")
    assert run(["try", str(path)]) == 2
    assert "reading the runbook x" in capsys.readouterr().err
    assert run(["try", str(tmp_path)]) == 2
    assert "directory" in capsys.readouterr().err


def test_a_person_sees_each_cell_and_that_nothing_was_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "look.ipynb"
    path.write_bytes(runbooks.LOOK)
    (tmp_path / "state").write_text("three files")
    assert run(["try", str(path), "-p", f"folder={tmp_path}"]) == 0
    told = capsys.readouterr().out
    assert "would change three files" in told
    assert "Nothing was changed" in told
    assert not (tmp_path / "count").exists()


def test_a_cell_that_fails_is_shown_and_is_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "unready.ipynb"
    path.write_bytes(runbooks.UNREADY)
    assert run(["try", str(path), "--json"]) == 1
    outcome = json.loads(capsys.readouterr().out)["outcome"]
    assert outcome["status"] == "failed"
    assert "cannot be rehearsed" in outcome["message"]
    assert not Path("/tmp/count").exists()  # noqa: S108 - the folder in the notebook's own example


def test_what_it_would_propose_is_shown_beside_the_files_of_the_work_tree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".git").mkdir()
    zone = tmp_path / proposals.ZONE
    zone.parent.mkdir(parents=True)
    zone.write_text(proposals.BEFORE)
    path = tmp_path / "runbooks" / "serve.ipynb"
    path.parent.mkdir()
    path.write_bytes(proposals.SERVE)
    assert run(["try", str(path), "-p", f"folder={tmp_path}"]) == 0
    told = capsys.readouterr().out
    assert f"change {proposals.ZONE}: +1 -1" in told
    assert "-web-1 A 10.0.0.1" in told
    assert zone.read_text() == proposals.BEFORE
