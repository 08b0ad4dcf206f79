"""Issue templates in a work tree: written once, looked after in CI, and never at the cost of what people wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli.main import run
from tests.runbook.notebooks import clean, notebook

FOLDER = Path(".gitlab/issue_templates")


@pytest.fixture
def tree(clone: Path) -> Path:
    """A work tree with two runbooks, of which nothing is committed."""
    for name in ("look", "db/rotate"):
        path = clone / "runbooks" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(notebook(clean()))
    return clone


def say(tree: Path, *words: str) -> int:
    return run(["-C", str(tree), "form", *words])


def test_they_are_written_once_and_checked_afterwards(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert say(tree, "--gitlab", "--check") == 2
    assert "out of date: .gitlab/issue_templates/db-rotate.md" in capsys.readouterr().err
    assert not (tree / FOLDER).exists(), "a check writes nothing"
    assert say(tree, "--gitlab") == 0
    assert sorted(one.name for one in (tree / FOLDER).iterdir()) == ["db-rotate.md", "look.md"]
    assert say(tree, "--gitlab", "--check") == 0
    (tree / "pyproject.toml").write_text('[tool.runbook]\nlabels = "change-management"\n')
    assert say(tree, "--gitlab", "--check", "look") == 2, "the settings are of the work tree too"
    assert say(tree / "runbooks", "--gitlab", "look") == 0
    assert 'change::unscheduled" ~"C1"' in (tree / FOLDER / "look.md").read_text()
    capsys.readouterr()
    assert say(tree, "--gitlab", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["written"] == [".gitlab/issue_templates/db-rotate.md"]
    assert said["current"] == [".gitlab/issue_templates/look.md"]


def test_policy_says_who_is_assigned(tree: Path) -> None:
    policy = '[groups]\nd = ["dba"]\n[[rule]]\nname = "r"\nrequest = ["*"]\napprove = {count = 0}\n'
    (tree / "runbooks" / "policy.toml").write_text(policy)
    say(tree, "--gitlab")
    assert "/assign @dba" in (tree / FOLDER / "look.md").read_text()
    (tree / "runbooks" / "policy.toml").write_text("not = a policy")
    say(tree, "--gitlab")
    assert "/assign" not in (tree / FOLDER / "look.md").read_text()


def test_the_template_of_a_runbook_that_is_no_more_is_named(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    say(tree, "--gitlab")
    (tree / "runbooks" / "look.ipynb").unlink()
    (tree / FOLDER / "bug.md").write_text("Of people\n")
    capsys.readouterr()
    assert say(tree, "--gitlab") == 0
    assert "stale, its runbook is no more: .gitlab/issue_templates/look.md" in capsys.readouterr().out
    assert (tree / FOLDER / "look.md").exists(), "what to remove is people's to say"
    assert say(tree, "--gitlab", "--check") == 2
    assert "bug.md" not in capsys.readouterr().err


def test_what_people_wrote_is_overwritten_only_by_force(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tree / FOLDER / "look.md"
    file.parent.mkdir(parents=True)
    file.write_text("By hand\n")
    assert say(tree, "--gitlab") == 0
    assert "written by hand, and left alone: .gitlab/issue_templates/look.md" in capsys.readouterr().out
    assert say(tree, "--gitlab", "--check") == 0
    assert say(tree, "--gitlab", "look") == 2
    assert file.read_text() == "By hand\n"
    assert say(tree, "--gitlab", "look", "--force") == 0
    assert "By hand" not in file.read_text()


@pytest.mark.parametrize("link", [FOLDER, FOLDER / "look.md", FOLDER.parent])
def test_nothing_is_written_through_a_link(tree: Path, tmp_path: Path, link: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tree / link).parent.mkdir(parents=True, exist_ok=True)
    (tree / link).symlink_to(elsewhere if link.suffix == "" else elsewhere / "look.md")
    assert say(tree, "--gitlab", "--force") == 2
    assert [one for one in elsewhere.rglob("*") if one.is_file()] == []


def test_two_runbooks_of_one_template_and_unknown_ones_are_refused(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / "runbooks" / "db-rotate.ipynb").write_bytes(notebook(clean()))
    assert say(tree, "--gitlab") == 2
    assert "two runbooks would have the template" in capsys.readouterr().err
    assert say(tree, "--gitlab", "lok") == 2
    assert "there are: db/rotate, db-rotate, look" in capsys.readouterr().err


def test_where_there_are_no_runbooks_a_check_does_not_pass(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert say(clone, "--gitlab", "--check") == 2
    assert "there is no folder runbooks in this work tree" in capsys.readouterr().err


def test_the_templates_of_the_runbooks_that_are_shipped_are_as_they_should_be() -> None:
    assert say(Path(__file__).resolve().parents[2], "--gitlab", "--check") == 0, "run: runbook form --gitlab"


@pytest.mark.parametrize("words", [(), ("a", "b"), ("a", "--check"), ("--gitlab", "--at", "HEAD"), ("a", "--force")])
def test_options_that_do_not_go_together_are_refused(tree: Path, words: tuple[str, ...]) -> None:
    assert say(tree, *words) == 2
