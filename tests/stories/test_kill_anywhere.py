"""Kill -9 at every point between two effects, then reconcile: the same end as without it, and nothing twice.

The story is cut into three stages, so that kernels run only where a kernel is involved. Each stage is killed before its
first effect, between the first and the second, and so on until it gets through; a test item takes every `PARTS`-th of
these points. Each point has its turn on both forges: on one the same clone goes on, on the other another one does.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.ledger.bodies import Status
from runner.plan.run import RunState
from runner.publication import markers
from runner.publication.markers import Kind
from tests.stories import world as worlds
from tests.stories.world import World, wait_for

pytestmark = pytest.mark.no_cover
"""What goes on after a kill is told, and measured, where nobody is killed."""
ROOT = Path(__file__).parents[2]
PARTS = 3
"""Into how many test items each stage is cut: they can run at the same time."""
MOST = 60
"""More effects than any stage has: a stage that never gets through is a fault."""


@pytest.fixture(scope="module")
def asked(founded: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which somebody asks for a run."""
    world = worlds.copied(founded, tmp_path_factory.mktemp("asked") / "w")
    world.ask("count")
    return world


@pytest.fixture(scope="module")
def approved(founded: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which somebody has just approved a plan."""
    world = worlds.copied(founded, tmp_path_factory.mktemp("approved") / "w")
    world.approve(world.planned("count"))
    return world


@pytest.fixture(scope="module")
def sealed(founded: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which a worker has sealed its outcome and nobody has looked yet."""
    world = worlds.copied(founded, tmp_path_factory.mktemp("sealed") / "w")
    issue = world.started("count")
    wait_for(world.spool(issue) / "outcome")
    return world


def killed(
    world: World,
    number: int | str,
    *,
    when: str = "before",
    person: str = "alice",
    more: tuple[str, ...] = (),
    code: int = 0,
) -> bool:
    """Reconcile until the N-th effect, or the N-th of a name (`NAME:N`); False if it got through, with an exit code."""
    log = world.folder / "effects"
    log.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "tests.stories.killer",
        str(world.clone(person)),
        str(number),
        when,
        str(log),
        *more,
    ]
    environment = os.environ | world.environment()
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, timeout=120)
    assert done.returncode in {-signal.SIGKILL, code}, done.stderr.decode()
    return done.returncode != code


def points(world: World, part: int) -> Iterator[tuple[int, str, str]]:
    """Which effect to be killed at, before or after it, and who goes on; after one effect is before the next."""
    for point in range(part - 1, MOST, PARTS):
        same = (point % 2 == 0) is not world.on_gitlab
        if same or point == 0:
            yield point + 1, "before", "alice" if same else "bob"
        else:
            yield point, "after", "bob"


def kinds(world: World) -> list[str]:
    return [event.type for event in world.events()]


EACH_PART = pytest.mark.parametrize("part", range(1, PARTS + 1))
ISSUE = "1"


@EACH_PART
def test_killed_while_planning_there_is_one_plan_and_it_is_told_once(
    asked: World, tmp_path: Path, *, part: int
) -> None:
    for number, when, again in points(asked, part):
        shutil.rmtree(tmp_path / "w", ignore_errors=True)
        world = worlds.copied(asked, tmp_path / "w")
        on_the_way = killed(world, number, when=when)
        world.reconcile(again)
        assert kinds(world) == ["genesis", "plan"]
        run = world.run(ISSUE)
        assert run.state is RunState.PLANNED
        thread = world.thread(ISSUE)
        assert thread.issue.labels == {"runbook::planned"}
        assert [one.ours for one in thread.comments] == [False, True]
        assert markers.find(thread, markers.of(run.id, Kind.PLAN, 1))
        world.check()
        if not on_the_way:
            return
    pytest.fail("planning never got through")


@EACH_PART
def test_killed_between_approval_and_the_end_of_the_worker_it_is_executed_once(
    approved: World, tmp_path: Path, *, part: int
) -> None:
    for number, when, again in points(approved, part):
        shutil.rmtree(tmp_path / "w", ignore_errors=True)
        world = worlds.copied(approved, tmp_path / "w")
        # What was planned leaves its trace where it was planned.
        (approved.traces / "count").unlink(missing_ok=True)
        on_the_way = killed(world, number, when=when)
        world.reconcile(again)
        assert_done(world, ISSUE)
        assert approved.times() == 1
        # What comes after the worker's end is killed in the test below, without a kernel.
        if not on_the_way or "forget" in (world.folder / "effects").read_text():
            return
    pytest.fail("the run never got through")


@EACH_PART
def test_killed_while_sealing_the_evidence_lands_once_and_the_issue_is_closed(
    sealed: World, tmp_path: Path, *, part: int
) -> None:
    for number, when, again in points(sealed, part):
        shutil.rmtree(tmp_path / "w", ignore_errors=True)
        world = worlds.copied(sealed, tmp_path / "w")
        on_the_way = killed(world, number, when=when)
        world.reconcile(again)
        assert_done(world, ISSUE)
        assert sealed.times() == 1
        if not on_the_way:
            return
    pytest.fail("sealing never got through")


def assert_done(world: World, issue: str) -> None:
    """The end that the story has without a kill."""
    run = world.run(issue)
    assert (run.state, run.outcome) == (RunState.FINISHED, Status.SUCCEEDED)
    assert kinds(world) == ["genesis", "plan", "approve", "start", "finish"]
    thread = world.thread(issue)
    assert not thread.issue.open
    assert thread.issue.labels == {"runbook::succeeded"}
    told = [one for one in thread.comments if one.ours]
    assert len(told) == 3, "plan, status and result"
    world.check()
