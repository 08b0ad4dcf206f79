"""What is wrong with a clone, a setting or a word is said, with the right exit code and never as a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.cli.main import run
from tests.stories import runbooks
from tests.stories.world import World, git

Break = Callable[[World], None]


def shallow(world: World) -> None:
    shutil.rmtree(world.clone("alice"))
    url = world.remote.as_uri()
    subprocess.run(["git", "clone", "-q", "--depth", "1", url, str(world.clone("alice"))], check=True)


def shallow_history(world: World) -> None:
    world.commit({"x": "1"})
    shallow(world)


def no_clone(world: World) -> None:
    shutil.rmtree(world.clone("alice") / ".git")


def empty(world: World) -> None:
    shutil.rmtree(world.clone("alice"))
    subprocess.run(["git", "init", "-q", "-b", "main", str(world.clone("alice"))], check=True)


def not_set_up(world: World) -> None:
    world.commit({"pyproject.toml": "[project]\n"})


def wrong_setting(world: World) -> None:
    world.commit({"pyproject.toml": '[tool.runbook]\nproject = "lab-00000000"\nleese = 5\n'})


def no_toml(world: World) -> None:
    world.commit({"pyproject.toml": "[tool.runbook\n"})


def no_executor(world: World) -> None:
    world.commit({"pyproject.toml": '[tool.runbook]\nproject = "lab-00000000"\nexecutor = "moon"\n'})


def remote_away(world: World) -> None:
    world.remote.rename(world.folder / "elsewhere")


def no_key(world: World) -> None:
    (world.state() / "lab-00000000" / "key").unlink()


def open_key(world: World) -> None:
    (world.state() / "lab-00000000" / "key").chmod(0o644)


def torn_key(world: World) -> None:
    (world.state() / "lab-00000000" / "key").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n")


def no_ledger(world: World) -> None:
    git(world.remote, "update-ref", "-d", "refs/heads/evidence")
    git(world.clone("alice"), "update-ref", "-d", "refs/remotes/origin/evidence")
    shutil.rmtree(world.clone("alice") / ".git" / "runbook", ignore_errors=True)


def rewritten_ledger(world: World) -> None:
    world.planned()
    git(world.remote, "update-ref", "refs/heads/evidence", "refs/heads/evidence~1")


@pytest.mark.parametrize(
    ("broken", "code", "words"),
    [
        (shallow_history, 6, "shallow"),
        (no_clone, 6, "not a Git repository"),
        (empty, 6, "there is no branch main"),
        (not_set_up, 6, "runbook init"),
        (wrong_setting, 6, "leese is not a setting"),
        (no_toml, 6, "pyproject.toml"),
        (no_executor, 6, "executor = 'moon' must be local or gitlab-ci"),
        (remote_away, 5, "remote"),
        (no_key, 6, "no signing key"),
        (open_key, 6, "key"),
        (torn_key, 6, "key"),
        (no_ledger, 6, "there is none yet"),
        (rewritten_ledger, 4, "runbook verify"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_is_wrong_with_the_place_is_said(
    world: World, capfd: pytest.CaptureFixture[str], *, broken: Break, code: int, words: str
) -> None:
    broken(world)
    with world.on():
        assert run(["-C", str(world.clone("alice")), "reconcile", "--once"]) == code
    said = capfd.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert "  try: " in said


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "nothing"], 2, "nothing"),
        (["run", "../count"], 2, "not a runbook's name"),
        (["run", "/etc/passwd"], 2, "not a runbook's name"),
        (["run", "\u0441ount"], 2, "not a runbook's name"),
        (["run", "count", "folder"], 2, "key=value"),
        (["run", "count", "fodler=/tmp"], 2, "fodler"),
        (["approve", "000000000000"], 2, "no run has this id"),
        (["approve", "%"], 2, "no run has this id"),
        (["resolve", "x", "maybe", "because"], 2, "maybe"),
        (["cancel", "x"], 2, "--leave"),
        (["init", "--admit", "junk"], 6, "ssh-ed25519"),
        (["nonsense"], 2, "nonsense"),
        (["worker", "/nowhere"], 2, "nowhere"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_wrong_with_the_words_is_said(
    world: World, capfd: pytest.CaptureFixture[str], *, arguments: list[str], code: int, words: str
) -> None:
    with world.on():
        found = run(["-C", str(world.clone("alice")), *arguments])
    captured = capfd.readouterr()
    told = captured.out + captured.err
    if "issue" in told and "reasons are in issue" in told:
        told += world.words("1")
    assert (found, words in told, "Traceback" in told) == (code, True, False), told
    assert world.runs() == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="machine: root may write everywhere")
def test_a_clone_that_may_only_be_read_can_be_read(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    world.planned()
    subprocess.run(["chmod", "-R", "a-w", str(world.clone("alice"))], check=True)
    try:
        with world.on():
            assert run(["-C", str(world.clone("alice")), "status"]) == 0
            assert run(["-C", str(world.clone("alice")), "reconcile", "--once"]) != 0
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(world.clone("alice"))], check=True)
    assert "Traceback" not in capfd.readouterr().err


def test_a_dirty_work_tree_is_neither_used_nor_touched(world: World) -> None:
    file = world.clone("alice") / "runbooks" / "count.ipynb"
    file.write_bytes(runbooks.FAIL)
    (world.clone("alice") / "runbooks" / "policy.toml").write_text("broken")
    issue = world.done("count")
    assert world.times() == 1
    assert world.run(issue).outcome
    assert file.read_bytes() == runbooks.FAIL


def test_a_refused_push_keeps_what_was_done_and_says_who_can_help(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    issue = world.ask("count")
    hook = world.remote / "hooks" / "update"
    hook.write_text("#!/bin/sh\n[ $1 != refs/heads/evidence ] || { echo protected >&2; exit 1; }\n")
    hook.chmod(0o755)
    with world.on():
        assert run(["-C", str(world.clone("alice")), "reconcile", "--once"]) == 6
    said = capfd.readouterr().err
    assert "right to push to evidence" in said
    hook.unlink()
    world.reconcile()
    assert world.run(issue)
    world.check()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken", b"{"),
        ("old", b'{"nbformat": 3, "nbformat_minor": 0, "worksheets": []}'),
        ("text", b"print(1)"),
        ("list", b"[]"),
        ("nothing", b""),
        ("odd", b'{"nbformat": 4, "nbformat_minor": 5, "cells": [1], "metadata": {}}'),
        ("deep", b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": ' + b"[" * 5000 + b"]" * 5000 + b"}"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused_on_the_issue(world: World, name: str, content: bytes) -> None:
    world.commit({f"runbooks/{name}.ipynb": content})
    issue = world.ask(name)
    world.reconcile()
    world.reconcile()
    assert world.runs() == ()
    assert [one.ours for one in world.thread(issue).comments] == [False, True]
    assert "unexpected" not in world.words(issue)


def test_a_link_in_the_place_of_a_runbook_is_refused(world: World) -> None:
    world.commit({"x": "1"})
    clone = world.clone("alice")
    (clone / "runbooks" / "link.ipynb").symlink_to("count.ipynb")
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "link")
    git(clone, "push", "-q", "origin", "main")
    world.ask("link")
    world.reconcile()
    assert world.runs() == ()


def test_debug_shows_the_traceback_and_nothing_else_does(world: World, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    shutil.rmtree(world.clone("alice") / ".git")
    plain = world.cli("alice", "status")
    debug = subprocess_with_debug(world)
    assert ("Traceback" in plain.err, "Traceback" in debug) == (False, True)
    assert "runbook: opening the repository" in debug


def subprocess_with_debug(world: World) -> str:
    return world.cli("alice", "--debug", "status").err
