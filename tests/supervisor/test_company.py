"""Keeping a running worker company: nothing of it is needed for the truth."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from runner.ports.executor import WorkState
from runner.repository import refs
from runner.supervisor import company
from runner.supervisor.ending import Ending
from runner.supervisor.following import Followed
from runner.supervisor.gather import work_key
from runner.supervisor.heartbeat import PREFIX, Pulse
from runner.supervisor.watcher import Watcher
from tests.stories.world import World, wait_for
from tests.supervisor.desks import desk_in, known_in


def at_once() -> Pulse:
    """A pulse that is due at every look but the first."""
    ticks = itertools.count(step=1000)
    return Pulse(lease=60.0, monotonic=lambda: float(next(ticks)))


def test_it_beats_shows_progress_listens_and_passes_the_wish_to_end_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company, "STATUS_EVERY", 0.1)
    issue = world.started()
    wait_for(world.traces / "begun")
    shown: list[str] = []
    words: list[str] = []
    watcher = Watcher(say=words.append, progress=lambda run, _said: shown.append(run), listen=0.1)
    ending = Ending()
    with desk_in(world) as desk:
        known = known_in(desk)
        company.keep(
            desk,
            [known],
            watcher=watcher,
            ending=ending,
            pulse=at_once(),
            followed=Followed(),
            spoken=lambda: bool(shown),
        )
        assert desk.executor.state(work_key(known.run)) is WorkState.RUNNING, "it left because somebody spoke"
        assert list(refs.heads(desk.workspace.repository, f"{PREFIX}*")) == [PREFIX + known.run.id]
        ending.asked = True
        company.keep(
            desk, [known], watcher=watcher, ending=ending, pulse=at_once(), followed=Followed(), spoken=lambda: False
        )
        assert desk.executor.state(work_key(known.run)) is WorkState.SEALED
    assert set(shown) == {known.run.id}
    assert any("asked to end" in one for one in words)
    assert "█" in world.words(issue)
    assert " of 4" in world.words(issue)


def test_a_remote_that_is_away_stops_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company, "STATUS_EVERY", 0.1)
    world.started()
    wait_for(world.traces / "begun")
    words: list[str] = []

    def say(text: str) -> None:
        words.append(text)
        (world.traces / "go").touch()

    with desk_in(world) as desk:
        known = known_in(desk)
        world.remote.rename(world.folder / "elsewhere")
        watcher = Watcher(say=say, progress=lambda _run, _said: None)
        company.keep(
            desk, [known], watcher=watcher, ending=Ending(), pulse=at_once(), followed=Followed(), spoken=lambda: False
        )
        assert desk.executor.state(work_key(known.run)) is WorkState.SEALED
    assert any("the run goes on" in one for one in words)


def test_a_long_run_is_listened_for_and_told_of_ever_less_often(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.started()
    wait_for(world.traces / "begun")
    told: list[float] = []
    looked: list[float] = []
    seconds = itertools.count(step=2.0)
    with desk_in(world) as desk:
        known = known_in(desk)
        assert known.run.start
        begun = known.run.start.when
        at = 0.0

        def clock() -> datetime:
            return begun + timedelta(seconds=at)

        def spoken() -> bool:
            looked.append(at)
            return at >= 3600

        def tick(_seconds: float) -> bool:
            nonlocal at
            at = next(seconds)
            return False

        wake = threading.Event()
        monkeypatch.setattr(wake, "wait", tick)
        monkeypatch.setattr(time, "monotonic", lambda: at)
        monkeypatch.setattr(company, "_status", lambda _desk, _one: told.append(at))
        watcher = Watcher(say=lambda _text: None, progress=lambda _run, _said: None, wake=wake)
        company.keep(
            replace(desk, now=clock),
            [known],
            watcher=watcher,
            ending=Ending(),
            pulse=Pulse(lease=1e9, monotonic=lambda: 0.0),
            followed=Followed(),
            spoken=spoken,
        )
    assert told[:4] == [4, 14, 24, 36]
    assert len(told) < 20
    assert looked[:2] == [2, 4]
    assert max(later - sooner for sooner, later in itertools.pairwise(looked)) <= company.LISTEN_AT_MOST + 2
    assert len(looked) < 200
