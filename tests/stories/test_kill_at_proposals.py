"""Kill -9 at every push and request for a change that people merge: one plan, one branch, one start."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.ledger.bodies import Status
from runner.plan.run import RunState
from tests.stories import world as worlds
from tests.stories.proposals import AFTER, ZONE
from tests.stories.test_kill_anywhere import MOST, killed, kinds
from tests.stories.test_proposals import repository
from tests.stories.world import World, git

ISSUE = "1"


@pytest.fixture(scope="module")
def asked(founded: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which somebody asks for a change."""
    world = worlds.copied(founded, tmp_path_factory.mktemp("asked") / "w")
    repository(world)
    world.ask("serve")
    return world


@pytest.fixture(scope="module")
def merged(asked: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which somebody has merged it, and nobody has looked yet."""
    world = worlds.copied(asked, tmp_path_factory.mktemp("merged") / "w")
    world.reconcile()
    world.merge(ISSUE)
    return world


def after_each_push(template: World, folder: Path, *, most: int) -> Iterator[World]:
    """The same world killed after its first push or request, after its second, and so on."""
    whole = worlds.copied(template, folder / "whole")
    assert not killed(whole, MOST)
    effects = (whole.folder / "effects").read_text().splitlines()
    pushes = [place for place, name in enumerate(effects, start=1) if name.startswith(("publish", "write"))]
    for place in pushes[:most]:
        shutil.rmtree(folder / "w", ignore_errors=True)
        world = worlds.copied(template, folder / "w")
        assert killed(world, place, when="after")
        yield world


def test_killed_on_the_way_to_the_review_there_is_one_plan_and_one_branch(asked: World, tmp_path: Path) -> None:
    for world in after_each_push(asked, tmp_path, most=3):
        world.reconcile("alice")
        assert kinds(world).count("plan") == 1
        run = world.run(ISSUE)
        assert run.state is RunState.PLANNED
        branches = git(world.remote, "branch", "--format=%(refname:short)", "--list", "runbook/*").decode().split()
        assert branches == [world.branch(ISSUE)]
        assert git(world.remote, "show", f"{branches[0]}:{ZONE}").decode() == AFTER
        assert world.words(ISSUE).count("merge its change") == 1
        world.check()


def test_killed_between_the_merge_and_the_start_it_runs_once(merged: World, tmp_path: Path) -> None:
    for world in after_each_push(merged, tmp_path, most=2):
        world.reconcile("alice")
        run = world.run(ISSUE)
        assert (run.state, run.outcome) == (RunState.FINISHED, Status.SUCCEEDED), world.words(ISSUE)
        assert [kinds(world).count(kind) for kind in ("approve", "start", "finish")] == [1, 1, 1]
        world.check()
