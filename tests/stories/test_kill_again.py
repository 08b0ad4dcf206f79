"""Kill -9 at every effect of what comes after a first attempt: a resume, its second end, a revert. Each once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.ledger.bodies import Status
from runner.plan.run import RunState
from tests.stories import runbooks
from tests.stories import world as worlds
from tests.stories.test_kill_anywhere import MOST, killed, kinds
from tests.stories.world import World, wait_for

pytestmark = pytest.mark.no_cover
"""What goes on after a kill is told, and measured, where nobody is killed."""
FAILED, DONE = "1", "2"
"""The issues of a run that failed at its third step, and of one that succeeded and can be undone."""


@pytest.fixture(scope="module")
def ended(founded: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which both runs are over."""
    world = worlds.copied(founded, tmp_path_factory.mktemp("ended") / "w")
    pair = runbooks.made(("change", "pass"), ("rollback", "pass"), title="Pair")
    world.commit({"runbooks/pair.ipynb": pair})
    assert (world.done("steps"), world.done("pair", host="web-2")) == (FAILED, DONE)
    return world


@pytest.fixture(scope="module")
def sealed(ended: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which the worker of the second attempt has sealed its outcome and nobody has looked yet."""
    world = worlds.copied(ended, tmp_path_factory.mktemp("sealed") / "w")
    (ended.traces / "fixed").touch()
    world.say("alice", FAILED, f"/runbook resume {world.run(FAILED).id}")
    world.reconcile()
    world.approve(FAILED)
    world.reconcile(wait=False)
    wait_for(world.spool(FAILED) / "outcome")
    return world


def each(template: World, folder: Path, *, issue: str = "", verb: str = "") -> Iterator[World]:
    """The same world killed at its first effect, at its second, and so on; another clone then goes on to the end."""
    for number in range(1, MOST):
        shutil.rmtree(folder / "w", ignore_errors=True)
        world = worlds.copied(template, folder / "w")
        if verb:
            world.say("alice", issue, f"/runbook {verb} {world.run(issue).id}")
        on_the_way = killed(world, number, when="before" if number % 2 else "after")
        world.reconcile("bob")
        world.check()
        yield world
        if not on_the_way:
            return
    pytest.fail("it never got through")


def test_killed_while_it_is_resumed_there_is_one_next_attempt_and_it_is_told_once(ended: World, tmp_path: Path) -> None:
    before = len(ended.events())
    for world in each(ended, tmp_path, issue=FAILED, verb="resume"):
        assert kinds(world)[before:] == ["resume"]
        run = world.run(FAILED)
        assert (run.state, run.attempt) == (RunState.PLANNED, 2)
        assert world.words(FAILED).count("goes on with the same plan**") == 1
        assert world.thread(FAILED).issue.labels == {"runbook::planned"}


def test_killed_while_a_revert_is_planned_there_is_one_revert(ended: World, tmp_path: Path) -> None:
    before = len(ended.events())
    for world in each(ended, tmp_path, issue=DONE, verb="revert"):
        assert kinds(world)[before:] == ["plan"]
        assert world.run(DONE).plan.revert_of == ended.run(DONE).id
        assert world.words(DONE).count("**This undoes run**") == 1


def test_killed_while_a_later_attempt_is_sealed_its_evidence_lands_once(sealed: World, tmp_path: Path) -> None:
    before = len(sealed.events())
    for world in each(sealed, tmp_path):
        assert kinds(world)[before:] == ["finish"]
        run = world.run(FAILED)
        assert (run.outcome, run.attempt) == (Status.SUCCEEDED, 2)
        previous = world.manifest(run).previous
        assert previous
        assert len(previous.done) == 2
