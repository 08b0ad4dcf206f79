from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli.main import run
from tests.runbook.notebooks import clean, notebook
from tests.stories.world import git

from .conftest import Typed, commit


def test_a_script_gets_contract_parameters_schema_cells_and_history(typed: Typed) -> None:
    said = json.loads(typed("bob", "show", "look", "--json").out)
    assert (said["name"], said["path"], said["risk"]) == ("look", "runbooks/look.ipynb", "low")
    assert [one["name"] for one in said["parameters"]] == ["folder", "host"]
    assert set(said["schema"]["properties"]) == {"folder", "host"}
    assert [one["role"] for one in said["cells"]][1:] == ["read", "plan", "change", "rollback", "verify"]
    assert len(said["history"]) == 1


def test_only_the_schema(typed: Typed) -> None:
    schema = json.loads(typed("bob", "show", "look", "--schema").out)
    assert schema == json.loads(typed("bob", "show", "look", "--json").out)["schema"]


def test_a_person_gets_a_page_that_fits(typed: Typed) -> None:
    out = typed("bob", "show", "look", columns=80).out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "lab/{host}" in out
    assert "what it acts on" in out
    assert "ask for it:  runbook form look" in out


def test_each_commit_has_its_own_contract_and_history(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = clone / "runbooks" / "x.ipynb"
    path.parent.mkdir()
    for title in ("First", "Second [red]"):
        head, *rest = clean()
        head["source"] = str(head["source"]).replace("Rotate a password", title)
        path.write_bytes(notebook([head, *rest]))
        commit(clone, title)
    assert run(["-C", str(clone), "show", "x"]) == 0
    told = capsys.readouterr().out
    assert "title" in told
    assert told.count("Second [red]") == 2, "in the contract and in the history, and never as markup"
    first = git(clone, "rev-parse", "HEAD~1").decode().strip()
    assert run(["-C", str(clone), "show", "x", "--at", first, "--json"]) == 0
    old = json.loads(capsys.readouterr().out)
    assert (old["title"], len(old["history"]), old["commit"]) == ("First", 1, first)


def test_what_is_not_there_is_answered_with_what_is(typed: Typed) -> None:
    said = typed("bob", "show", "lok")
    assert said.code == 2
    assert "Did you mean look" in said.err
