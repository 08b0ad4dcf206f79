from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli.main import run


def test_from_a_folder_below_the_runbook_still_lands_at_the_top(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    below = clone / "docs"
    below.mkdir()
    assert run(["-C", str(below), "new", "db/rotate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"name": "db/rotate", "path": "runbooks/db/rotate.ipynb"}
    cells = json.loads((clone / "runbooks" / "db" / "rotate.ipynb").read_text())["cells"]
    tags = {tag for cell in cells for tag in cell["metadata"].get("tags", [])}
    assert {"parameters", "setup", "read", "plan", "change", "verify", "rollback", "always"} <= tags


def test_a_person_is_told_what_comes_next(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(clone), "new", "x"]) == 0
    told = capsys.readouterr().out
    assert all(f"{word} runbooks/x.ipynb" in told for word in ("jupyter lab", "runbook lint", "runbook try"))


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "x.ipynb", "a b", "ökonom", "", "x\x1b[2J", "a//b"])
def test_a_name_that_no_runbook_may_have_makes_nothing(
    clone: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run(["-C", str(clone), "new", name]) == 2
    told = capsys.readouterr().err
    assert "runbook: " in told
    assert "Traceback" not in told
    assert not list(clone.rglob("*.ipynb"))
    assert not list(clone.parent.glob("*.ipynb"))
