"""Setting a repository up, and letting other machines in."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runner import wiring
from runner.errors import OperatorError
from runner.supervisor import founding
from runner.supervisor.founding import Founded
from tests.stories.world import World, git


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of an empty remote by somebody whom Git knows."""
    world = World(folder=tmp_path)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(world.remote)], check=True)
    subprocess.run(["git", "clone", "-q", str(world.remote), str(tmp_path / "c")], check=True, capture_output=True)
    for name, value in (("user.name", "Dora"), ("user.email", "dora@example.org")):
        git(tmp_path / "c", "config", name, value)
    for name, value in world.environment().items():
        monkeypatch.setenv(name, value)
    return tmp_path / "c"


def found(clone: Path) -> Founded:
    return founding.found(clone, now=wiring.now)


def test_an_empty_repository_is_set_up_and_clean_and_repeating_it_changes_nothing(bare: Path) -> None:
    done = found(bare)
    assert done.committed == ("pyproject.toml", "runbooks/allowed_signers", "runbooks/policy.toml")
    assert git(bare, "status", "--short") == b""
    assert (bare / "runbooks" / "policy.toml").exists()
    assert done.key_file.stat().st_mode & 0o777 == 0o600
    assert bare not in done.key_file.parents
    heads = git(bare.parent / "remote.git", "for-each-ref")
    again = found(bare)
    assert (again.genesis, again.public_key, again.committed) == (done.genesis, done.public_key, ())
    assert git(bare.parent / "remote.git", "for-each-ref") == heads


def test_what_a_project_has_already_is_kept(bare: Path) -> None:
    (bare / "pyproject.toml").write_text('[project]\nname = "x"\n')
    git(bare, "add", "-A")
    git(bare, "commit", "-q", "-m", "mine")
    git(bare, "push", "-q", "origin", "HEAD:main")
    found(bare)
    text = (bare / "pyproject.toml").read_text()
    assert text.startswith('[project]\nname = "x"\n')
    assert "[tool.runbook]" in text


def test_where_the_protected_branch_refuses_the_push_a_branch_is_proposed(bare: Path) -> None:
    hook = bare.parent / "remote.git" / "hooks" / "update"
    hook.write_text('#!/bin/sh\n[ "$1" != refs/heads/main ] || { echo "protected branch" >&2; exit 1; }\n')
    hook.chmod(0o755)
    done = found(bare)
    assert done.proposed == "runbook-init"
    heads = git(bare.parent / "remote.git", "for-each-ref", "--format=%(refname:short)").decode().split()
    assert heads == ["evidence", "runbook-init"]


def test_without_a_remote_the_clone_is_its_own(bare: Path) -> None:
    git(bare, "remote", "remove", "origin")
    found(bare)
    assert git(bare, "rev-parse", "--verify", "evidence")
    assert git(bare, "status", "--short") == b""


def test_somebody_unknown_is_told_how_git_gets_to_know_them(bare: Path) -> None:
    git(bare, "config", "--unset", "user.email")
    with pytest.raises(OperatorError, match="who you are") as caught:
        found(bare)
    assert "git config user.email" in caught.value.hint


def test_a_second_machine_cannot_found_what_is_founded(world: World) -> None:
    with world.on("far"), pytest.raises(OperatorError, match="set up already") as caught:
        founding.found(world.clone("bob"), now=wiring.now)
    assert "--admit" in caught.value.hint
    assert [event.type for event in world.events()] == ["genesis"]


def test_a_machine_that_is_let_in_writes_and_one_that_is_put_out_does_not(world: World) -> None:
    world.admit("far")
    issue = world.ask("count")
    world.reconcile("bob", host="far")
    assert world.run(issue)
    with world.on("far"):
        key = founding.join(world.clone("bob"))
    with world.on():
        assert founding.admit(world.clone("alice"), key, now=wiring.now) is None, "it is in already"
        assert founding.admit(world.clone("alice"), key, now=wiring.now, revoke=True)
    with pytest.raises(OperatorError, match="may not write"):
        world.reconcile("bob", host="far")


def test_the_only_key_cannot_be_put_out(world: World) -> None:
    with world.workspace() as opened:
        key = opened.signer().public_key
    with world.on(), pytest.raises(OperatorError, match="only one"):
        founding.admit(world.clone("alice"), key, now=wiring.now, revoke=True)


@pytest.mark.parametrize("key", ["", "ssh-ed25519", "ssh-rsa AAAA", "ssh-ed25519 junk", "hello world"])
def test_what_is_no_key_is_not_let_in(world: World, key: str) -> None:
    with world.on(), pytest.raises(OperatorError, match="not an OpenSSH"):
        founding.admit(world.clone("alice"), key, now=wiring.now)
