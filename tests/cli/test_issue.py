"""`runbook issue`, as people and scripts call it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from runner.adapters.signer.ssh import generate
from runner.cli.main import run

SETTINGS = '[tool.runbook]\nproject = "p1"\n'


def git(where: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(where), *arguments], check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with settings and one known person, who is at the keyboard."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path / "state"))
    key = generate(tmp_path / "alice")
    (tmp_path / "alice.pub").write_text(key.public_key + "\n")
    remote, path = tmp_path / "remote.git", tmp_path / "clone"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True)
    subprocess.run(["git", "clone", "-q", str(remote), str(path)], check=True, capture_output=True)
    for name, value in (
        ("user.email", "alice@x"),
        ("user.name", "Alice"),
        ("gpg.format", "ssh"),
        ("user.signingkey", str(tmp_path / "alice.pub")),
    ):
        git(path, "config", name, value)
    (path / "pyproject.toml").write_text(SETTINGS)
    (path / "runbooks").mkdir()
    (path / "runbooks" / "allowed_signers").write_text(f"alice@x {key.public_key}\n")
    git(path, "checkout", "-q", "-b", "main")
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "settings")
    git(path, "push", "-q", "origin", "main")
    return path


def said(clone: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["-C", str(clone), "issue", *arguments]) == 0
    return capsys.readouterr().out


def test_an_issue_is_opened_listed_shown_commented_and_closed(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clone / "ask.md").write_text("Please.\n")
    opened = said(clone, capsys, "new", "Disk is full", "--file", str(clone / "ask.md"), "--label", "ops")
    assert opened == "opened issue 1\n"
    told = json.loads(said(clone, capsys, "comment", "1", "--json", "/runbook", "cancel", "--leave"))
    assert (told["id"], told["body"], told["verified"]) == ("1/1", "/runbook cancel --leave", True)
    assert "Disk is full" in said(clone, capsys, "list", "--label", "ops")
    shown = said(clone, capsys, "show", "1")
    assert "Please." in shown
    assert "(signed)" in shown
    assert said(clone, capsys, "close", "1") == "issue 1 is closed\n"
    assert json.loads(said(clone, capsys, "list", "--json")) == []
    (listed,) = json.loads(said(clone, capsys, "list", "--all", "--json"))
    assert (listed["id"], listed["open"], listed["labels"]) == ("1", False, ["ops"])
    assert [one["body"] for one in json.loads(said(clone, capsys, "show", "1", "--json"))["comments"]] == [
        "Please.\n",
        "/runbook cancel --leave",
    ]


def test_a_person_without_a_known_key_is_told_that_it_may_not_count(
    clone: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said(clone, capsys, "new", "t", "--body", "b")
    generate(tmp_path / "other")
    git(clone, "config", "user.signingkey", str(tmp_path / "other"))
    assert run(["-C", str(clone), "issue", "comment", "1", "words"]) == 0
    assert "may not count" in capsys.readouterr().err
    assert "NOT VERIFIED" in said(clone, capsys, "show", "1")


def test_what_could_act_on_a_terminal_is_escaped(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(clone, capsys, "new", "t", "--body", "a\x1b[2Jb\u202ec")
    shown = said(clone, capsys, "show", "1")
    assert "a\\u001b[2Jb\\u202ec" in shown


def test_mistakes_are_the_requesters_and_say_what_to_do(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(clone, capsys, "new", "t", "--body", "b")
    (clone / "binary").write_bytes(b"\xff\xfe")
    for arguments in (
        ["show", "2"],
        ["comment", "1"],
        ["comment", "1", "words", "--file", "x"],
        ["new", "t", "--file", str(clone / "nothing")],
        ["new", "t", "--file", str(clone / "binary")],
        ["new", ""],
    ):
        assert run(["-C", str(clone), "issue", *arguments]) == 2, arguments
        assert "try:" in capsys.readouterr().err


def test_help_has_an_example_for_each_subcommand(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("new", "list", "show", "comment", "close"):
        assert run(["issue", name, "--help"]) == 0
        assert f"runbook issue {name}" in capsys.readouterr().out.replace("Usage: runbook issue", "")
