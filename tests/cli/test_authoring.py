"""The commands for authors, from the first notebook to the form of an issue."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from runner.cli.main import run


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path)], check=True)
    return tmp_path


def commit(clone: Path) -> None:
    people = {f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for words in (["add", "."], ["commit", "-q", "-m", "A runbook"]):
        subprocess.run(["git", *words], cwd=clone, env=os.environ | people, check=True)


def say(clone: Path, *words: str) -> int:
    return run(["-C", str(clone), *words])


def test_a_new_runbook_is_clean_and_can_be_listed_shown_and_asked_for(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert say(clone, "new", "db/rotate") == 0
    assert say(clone, "lint") == 0
    assert "clean" in capsys.readouterr().out
    commit(clone)
    assert say(clone, "list", "--json") == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)["runbooks"]] == ["db/rotate"]
    assert say(clone, "show", "db/rotate") == 0
    shown = capsys.readouterr().out
    assert all(words in shown for words in ("{environment}/{name}", "one of: staging, production", "A runbook"))
    assert say(clone, "show", "db/rotate", "--json") == 0
    assert json.loads(capsys.readouterr().out)["schema"]["required"] == ["name"]
    assert say(clone, "form", "db/rotate") == 0
    assert "```runbook\nrunbook: db/rotate\n" in capsys.readouterr().out


def test_new_never_overwrites(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    say(clone, "new", "x")
    path = clone / "runbooks" / "x.ipynb"
    path.write_text("mine")
    assert say(clone, "new", "x") == 2
    assert path.read_text() == "mine"
    assert "already there" in capsys.readouterr().err


def test_new_does_not_follow_a_link_out_of_the_repository(
    clone: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (clone / "runbooks").symlink_to(outside)
    assert say(clone, "new", "x") == 2
    assert list(outside.iterdir()) == []


def test_lint_fails_on_an_error_and_names_rule_and_cell(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    say(clone, "new", "x")
    path = clone / "runbooks" / "x.ipynb"
    path.write_text(path.read_text().replace('"setup"', '"mine"'))
    capsys.readouterr()
    assert say(clone, "lint", str(path)) == 2
    assert "R01 error, cell 4" in capsys.readouterr().out
    path.write_text("{")
    assert say(clone, "lint", "--json", str(path)) == 2
    assert "not JSON" in json.loads(capsys.readouterr().out)[0]["problem"]


@pytest.mark.parametrize("command", ["list", "show x", "form x"])
def test_an_empty_repository_is_answered_in_words(
    clone: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert say(clone, *command.split()) == 2
    assert "nothing is committed yet" in capsys.readouterr().err


def test_a_runbook_that_is_not_there_is_answered_with_what_there_is(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    say(clone, "new", "rotate")
    commit(clone)
    assert say(clone, "show", "rotat") == 2
    assert "Did you mean rotate?" in capsys.readouterr().err


def test_trying_a_notebook_runs_what_changes_nothing(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    say(clone, "new", "x")
    path = clone / "runbooks" / "x.ipynb"
    capsys.readouterr()
    assert run(["try", str(path), "--json", "-p", "name=other"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"] == {"environment": "staging", "name": "other"}
    assert "would write" in found["shown"]["plan"]
    assert "change" not in found["shown"]


def test_trying_with_a_wrong_value_says_what_would_be_accepted(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    say(clone, "new", "x")
    capsys.readouterr()
    assert run(["try", str(clone / "runbooks" / "x.ipynb"), "-p", "name=NO", "-p", "nope=1"]) == 2
    told = capsys.readouterr().err
    assert "matching" in told
    assert "nope" in told
