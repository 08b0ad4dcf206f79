"""Signs of life, and who watches them: silence is counted on the observer's own clock."""

from __future__ import annotations

from pathlib import Path

from runner import wiring
from runner.repository import refs
from runner.supervisor import heartbeat
from runner.supervisor.bulletin import Bulletin
from runner.supervisor.heartbeat import PREFIX, Observer, Pulse
from tests.stories.world import World


class Clock:
    """A monotonic clock that a test turns."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def observer(file: Path, clock: Clock, *, boot: str = "one") -> Observer:
    return Observer(file, lease=60.0, monotonic=clock, boot=boot)


def test_one_look_proves_nothing_and_silence_for_the_whole_lease_does(tmp_path: Path) -> None:
    clock = Clock()
    watching = observer(tmp_path / "seen", clock)
    assert not watching.lost("run", "a")
    clock.seconds += 59.9
    assert not watching.lost("run", "a")
    clock.seconds += 0.2
    assert watching.lost("run", "a")


def test_every_sign_of_life_begins_the_lease_again(tmp_path: Path) -> None:
    clock = Clock()
    watching = observer(tmp_path / "seen", clock)
    watching.lost("run", "a")
    clock.seconds += 59
    assert not watching.lost("run", "b")
    clock.seconds += 59
    assert not watching.lost("run", "b")


def test_what_was_seen_outlives_the_process_but_not_the_boot(tmp_path: Path) -> None:
    clock = Clock()
    first = observer(tmp_path / "seen", clock)
    first.lost("run", "a")
    first.lost("over", "a")
    first.save(frozenset({"run"}))
    clock.seconds += 61
    assert observer(tmp_path / "seen", clock).lost("run", "a")
    assert not observer(tmp_path / "seen", clock).lost("over", "a"), "runs that are over are forgotten"
    assert not observer(tmp_path / "seen", clock, boot="two").lost("run", "a")


def test_a_torn_file_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "seen").write_bytes(b'{"run": {"com')
    assert not observer(tmp_path / "seen", Clock()).lost("run", "a")


def test_a_beat_changes_what_is_on_the_remote_and_stopping_removes_it(world: World) -> None:
    with world.workspace() as opened:
        repository = opened.repository
        heartbeat.beat(opened.objects, "a-run", word="started", now=wiring.now())
        (first,) = refs.heads(repository, f"{PREFIX}*").values()
        heartbeat.beat(opened.objects, "a-run", word="started", now=wiring.now())
        (second,) = refs.heads(repository, f"{PREFIX}*").values()
        assert first != second
        heartbeat.stop(opened.objects, "a-run")
        heartbeat.stop(opened.objects, "a-run")
        assert refs.heads(repository, f"{PREFIX}*") == {}


def test_a_beat_carries_a_bulletin_that_another_clone_reads(world: World) -> None:
    told = Bulletin(attempt=1, seconds=2.0, cells=(), said=())
    with world.workspace("bob") as elsewhere:
        assert heartbeat.heard(elsewhere.objects, "a-run") is None
        with world.workspace() as opened:
            heartbeat.beat(opened.objects, "a-run", word="started", now=wiring.now())
        assert heartbeat.heard(elsewhere.objects, "a-run") is None, "an owner of an older version tells nothing"
        with world.workspace() as opened:
            heartbeat.beat(opened.objects, "a-run", word="started", now=wiring.now(), bulletin=told)
        assert heartbeat.heard(elsewhere.objects, "a-run") == told


def test_a_run_is_due_for_a_sign_a_quarter_of_the_lease_after_the_last_one() -> None:
    at = [0.0]
    pulse = Pulse(lease=40.0, monotonic=lambda: at[0])
    seen = []
    for second in range(0, 31, 5):
        at[0] = float(second)
        seen.append((second, pulse.due("a")))
    assert [second for second, due in seen if due] == [10, 20, 30]
    assert not pulse.due("b"), "the first look only starts the clock"
