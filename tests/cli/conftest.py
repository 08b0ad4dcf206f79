"""A repository with a history for the commands that only look, and a way to type commands without a new process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from runner.cli.main import run
from tests.stories import world as worlds
from tests.stories.world import Said, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """A world in which one run succeeded, one failed and was undone, and one waits for its approval: their ids."""

    world: World
    good: str
    bad: str
    waiting: str


Typed = Callable[..., Said]
"""Types a command, in this process: `typed("bob", "log", "--json")`; `columns` makes it a terminal."""


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world that is only copied."""
    return worlds.found(tmp_path_factory.mktemp("founded") / "w")


@pytest.fixture
def world(founded: World, tmp_path: Path) -> World:
    """A fresh world, for commands that change something."""
    return worlds.copied(founded, tmp_path / "w")


@pytest.fixture(scope="session")
def lived(founded: World, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """A world for looking at; nothing in it may be changed."""
    world = worlds.copied(founded, tmp_path_factory.mktemp("lived") / "w")
    good, bad = world.ask("count", host="web-1"), world.ask("fail", host="web-2")
    world.reconcile()
    for issue in (good, bad):
        world.approve(issue)
    world.reconcile()
    waiting = world.planned("count", host="[web-3]")
    ids = {issue: world.run(issue).id for issue in (good, bad, waiting)}
    return Lived(world=world, good=ids[good], bad=ids[bad], waiting=ids[waiting])


@pytest.fixture
def typed(lived: Lived, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Type a command in somebody's clone of that world, at a terminal of so many columns or at none."""

    def type_(person: str, *words: str, columns: int = 0) -> Said:
        capsys.readouterr()
        with lived.world.on(), pytest.MonkeyPatch.context() as patch:
            if columns:
                for name, value in (("COLUMNS", str(columns)), ("TERM", "xterm"), ("NO_COLOR", "1")):
                    patch.setenv(name, value)
                patch.setattr(sys.stdout, "isatty", lambda: True)
            code = run(["-C", str(lived.world.clone(person)), *words])
        said = capsys.readouterr()
        return Said(code=code, out=click.unstyle(said.out), err=said.err)

    return type_


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh repository without a remote, with somebody in it."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path / "state"))
    path = tmp_path / "clone"
    path.mkdir()
    worlds.git(path, "init", "-q", "-b", "main")
    worlds.git(path, "config", "user.name", "Alice")
    worlds.git(path, "config", "user.email", "alice@example.org")
    return path


def commit(clone: Path, message: str = "A runbook") -> None:
    """Commit everything in a clone."""
    worlds.git(clone, "add", "-A")
    worlds.git(clone, "commit", "-q", "-m", message)
