"""A command and a long-lived supervisor of one machine: one bell for all, an answer for whoever rang."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from runner.cli.rings import Came, answering, hung, let_go, rung
from runner.ports.forge import CommentId, IssueId
from runner.snapshot import Snapshot
from runner.supervisor.ringing import NAME, Ring
from runner.supervisor.watcher import Watcher
from tests.stories import world as worlds
from tests.stories.world import World

NOTHING = Snapshot(requests=(), heard=(), unheard=(), runs=())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return worlds.found(tmp_path / "w")


def test_there_is_one_bell_on_a_machine_and_none_that_stays(world: World) -> None:
    with world.workspace() as opened:
        with hung(opened) as first, hung(opened) as second:
            assert first
            assert second is None
        assert not (opened.state / NAME).exists()
        assert rung(opened, Ring(issue=IssueId("1"), comment=CommentId("1/0")), quiet=True, log=False) is None


def test_whoever_rings_is_told_where_the_request_stands(world: World) -> None:
    issue = world.ask("count")
    why = Ring(issue=IssueId(issue), comment=CommentId(f"{issue}/0"))
    said: list[str] = []
    found: list[Came | None] = []
    with world.workspace() as opened, hung(opened) as bell:
        assert bell
        caller = threading.Thread(target=lambda: found.append(rung(opened, why, quiet=True, log=False)))
        caller.start()
        assert bell.rung.wait(30)
        shown = Watcher(say=said.append, progress=lambda _run, _progress: None)
        watcher = answering(bell, shown, workspace=lambda: opened)
        assert watcher.wake is bell.rung
        watcher.say("words")
        watcher.seen(NOTHING)
        assert bell.callers() == (why,), "nothing of theirs is over yet"
        let_go(bell, why, NOTHING, workspace=opened)
        caller.join(30)
    assert said == ["words"]
    assert found == [Came(runs=(), refused="", code=2, clone=str(opened.repository.path))]
