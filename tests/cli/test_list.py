from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli.main import run
from tests.stories import runbooks
from tests.stories.world import git

from .conftest import Typed, commit


def test_a_script_gets_every_runbook_at_one_commit(typed: Typed) -> None:
    said = json.loads(typed("bob", "list", "--json").out)
    assert {one["name"] for one in said["runbooks"]} == set(runbooks.ALL)
    assert set(said["runbooks"][0]) == {"name", "title", "risk", "owner"}
    assert len(said["commit"]) == 40


def test_a_person_gets_a_table_that_fits(typed: Typed) -> None:
    out = typed("bob", "list", columns=80).out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert {"count", "Count", "low", "@team"} <= set(out.split())


def test_one_that_cannot_be_read_does_not_hide_the_others(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clone / "runbooks").mkdir()
    (clone / "runbooks" / "good.ipynb").write_bytes(runbooks.COUNT)
    (clone / "runbooks" / "broken.ipynb").write_text("{")
    commit(clone)
    assert run(["-C", str(clone), "list", "--json"]) == 0
    found = {one["name"]: one["title"] for one in json.loads(capsys.readouterr().out)["runbooks"]}
    assert found["good"] == "Count"
    assert found["broken"].startswith("(cannot be read: ")


def test_what_is_not_committed_is_not_listed(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clone / "runbooks").mkdir()
    (clone / "runbooks" / "note.txt").write_text("x")
    commit(clone)
    (clone / "runbooks" / "new.ipynb").write_bytes(runbooks.COUNT)
    assert run(["-C", str(clone), "list"]) == 0
    assert capsys.readouterr().out == "no runbooks yet: make one with `runbook new NAME` and commit it\n"
    commit(clone)
    assert run(["-C", str(clone), "list", "--at", "HEAD~1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runbooks"] == []
    assert git(clone, "status", "--short") == b""
