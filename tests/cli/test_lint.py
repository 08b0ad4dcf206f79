from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli.main import run
from tests.runbook.notebooks import clean, notebook, raw

GOOD = notebook(clean())
BAD = notebook([raw(), *clean()[2:]])


def test_every_notebook_below_the_folder_is_checked_but_no_checkpoints(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.ipynb", "db/b.ipynb", ".ipynb_checkpoints/a-checkpoint.ipynb"):
        path = clone / "runbooks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(GOOD)
    assert run(["-C", str(clone), "lint", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [Path(one["path"]).name for one in found] == ["a.ipynb", "b.ipynb"]


def test_a_script_gets_rule_severity_cell_and_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.ipynb"
    path.write_bytes(BAD)
    assert run(["lint", "--json", str(path)]) == 2
    (found,) = json.loads(capsys.readouterr().out)
    assert found["problem"] == ""
    assert {"error"} <= {one["severity"] for one in found["findings"]}
    assert all(set(one) == {"rule", "severity", "cell", "message", "hint"} for one in found["findings"])


def test_a_person_gets_the_same_and_the_worst_decides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, data in (("a.ipynb", GOOD), ("b.ipynb", BAD), ("c.ipynb", b"{")):
        (tmp_path / name).write_bytes(data)
    assert run(["lint", str(tmp_path)]) == 2
    told = capsys.readouterr().out
    assert "a.ipynb: clean" in told
    assert "error, " in told
    assert "c.ipynb: cannot be read" in told


def test_nothing_to_check_and_what_is_not_there_are_told(
    clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(clone), "lint"]) == 2
    assert "runbook new NAME" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert run(["lint", str(tmp_path / "empty")]) == 0
    assert capsys.readouterr().out == "no notebooks there\n"
    assert run(["lint", str(tmp_path / "none")]) == 2
    assert "does not exist" in capsys.readouterr().err
