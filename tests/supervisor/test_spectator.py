"""The spectator: one run, from the machine where it is and from any other, and nothing is changed by looking."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runner import wiring
from runner.errors import RequestError
from runner.execution.outcome import Fate
from runner.execution.progress import Progress, Said
from runner.plan.run import RunState
from runner.supervisor import bulletin, heartbeat, spectator
from runner.supervisor.heartbeat import PREFIX
from runner.supervisor.spectator import Spectator, View
from tests.stories.world import World, git, wait_for

ELSEWHERE = "elsewhere"


@pytest.fixture(autouse=True)
def at_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spectator, "RECORD_EVERY", 0.0)


def until(spectating: Spectator, seen: Callable[[View], bool]) -> View:
    for _ in range(200):
        view = spectating.view()
        if seen(view):
            return view
    raise AssertionError("it was never seen")


def running(view: View) -> bool:
    cells = view.progress.cells if view.progress else ()
    return any(one.fate is Fate.RUNNING and one.role == "change" for one in cells)


def said(*texts: str) -> tuple[Said, ...]:
    return tuple(Said(at=float(at), phase="forward", cell="c", name="act", text=text) for at, text in enumerate(texts))


def test_on_the_machine_of_the_run_it_is_seen_in_another_clone_as_it_happens_to_its_end(world: World) -> None:
    issue = world.started()
    wait_for(world.traces / "begun")
    with world.workspace("bob") as opened:
        watching = Spectator(opened, "", now=wiring.now)
        view = until(watching, running)
        assert view.known.run.id == world.run(issue).id
        (world.traces / "go").touch()
        world.reconcile()
        last = until(watching, lambda view: view.known.run.state is RunState.FINISHED)
        assert last.progress is not None
        assert last.progress.done == len(last.progress.forward)


def test_from_another_machine_it_is_seen_through_the_signs_of_life_and_each_word_once(world: World) -> None:
    issue = world.started()
    run = world.run(issue)

    def beat(*texts: str, attempt: int = 1) -> None:
        told = bulletin.make(Progress(key="", said=said(*texts), seconds=3.0), attempt=attempt)
        with world.workspace() as owner:
            heartbeat.beat(owner.objects, run.id, word="started", now=wiring.now(), bulletin=told)

    with world.workspace("bob", host=ELSEWHERE) as opened:
        watching = Spectator(opened, run.id[:20], now=wiring.now)
        assert watching.view().progress is None, "the owner has told nothing yet"
        beat("one\n", "two\n")
        first = watching.view().progress
        assert first is not None
        assert (first.said, first.seconds, first.key) == (said("one\n", "two\n"), 3.0, f"{run.id}/1")
        assert watching.view().progress is None, "the same bulletin is no news"
        beat("one\n", "two\n", "three\n")
        second = watching.view().progress
        assert second is not None
        assert [one.text for one in second.said] == ["three\n"]
        beat("another attempt\n", attempt=2)
        assert watching.view().progress is None
        beat("the token is glpat-" + "a1B2c3D4" * 3)
        assert "withheld" in watching.view().words
        assert not [name for name in refs_of(world) if PREFIX in name], "it leaves nothing in the clone"
    (world.traces / "go").touch()
    world.reconcile()


def refs_of(world: World) -> list[str]:
    return git(world.clone("bob"), "for-each-ref", "--format=%(refname)").decode().split()


def test_a_remote_that_is_away_is_said_and_looked_at_again(world: World) -> None:
    world.started()
    with world.workspace("bob", host=ELSEWHERE) as opened:
        watching = Spectator(opened, "", now=wiring.now)
        world.remote.rename(world.folder / "away")
        assert "the remote is away" in watching.view().words
        (world.folder / "away").rename(world.remote)
        assert watching.view().words == ""
    (world.traces / "go").touch()
    world.reconcile()


def test_a_name_means_one_run_or_it_is_refused_with_what_there_is(world: World) -> None:
    with world.workspace() as opened, pytest.raises(RequestError, match="there is none"):
        Spectator(opened, "", now=wiring.now)
    issue = world.planned()
    with world.workspace() as opened:
        view = Spectator(opened, "", now=wiring.now).view()
        assert (view.known.run.state, view.progress) == (RunState.PLANNED, None)
        assert Spectator(opened, world.run(issue).id, now=wiring.now)
        world.planned(host="web-2")
        with pytest.raises(RequestError, match="several are under way"):
            Spectator(opened, "", now=wiring.now)
        with pytest.raises(RequestError, match="there is none"):
            Spectator(opened, "20200101", now=wiring.now)
