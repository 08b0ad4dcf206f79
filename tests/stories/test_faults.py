"""What happens to a run besides the killing of its runner: lost answers, absent remotes, other hosts, signals."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.adapters.gitlab_asking import Asking
from runner.digest import parse
from runner.errors import OutsideError
from runner.ledger.bodies import Finish, Interrupt, Late, Status
from runner.plan.run import RunState
from runner.ports.claim import Claim, of_process
from runner.publication import markers
from runner.publication.markers import Kind
from runner.repository import refs
from tests.stories import world as worlds
from tests.stories.test_kill_anywhere import assert_done, killed
from tests.stories.world import SETTINGS, World, wait_for

FAR = "far"
"""A host with a key of its own that was let in."""
LEASE = 1


class Remote:
    """An outside that misbehaves at its N-th change: it loses the answer, or is away for the next few calls.

    A change is a push, or something written at GitLab.
    """

    READS = frozenset({"fetch", "show", "remove", "heads", "read"})

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, number: int, lost: bool) -> None:
        self.changes = 0
        self._number, self._lost, self._away = number, lost, 0
        for place, name in (
            *((refs, name) for name in ("publish", "fetch", "show", "remove", "heads")),
            *((Asking, name) for name in ("write", "read")),
        ):
            monkeypatch.setattr(place, name, self._through(getattr(place, name)))

    @property
    def was_hit(self) -> bool:
        return self.changes >= self._number

    def _through(self, real: Callable[..., Any]) -> Callable[..., Any]:
        if real.__name__ in self.READS:
            return self._read(real)

        def change(*args: Any, **kwargs: Any) -> Any:
            self._fail_if_away()
            self.changes += 1
            if self.changes == self._number and not self._lost:
                self._away = 4
                self._fail_if_away()
            done = real(*args, **kwargs)
            if self.changes == self._number:
                raise OutsideError("writing", "the answer was lost")
            return done

        return change

    def _read(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._fail_if_away()
            return real(*args, **kwargs)

        return call

    def _fail_if_away(self) -> None:
        if self._away:
            self._away -= 1
            raise OutsideError("asking the remote", "it is away")


def until_quiet(world: World) -> None:
    for _ in range(10):
        try:
            world.reconcile()
        except OutsideError:
            continue
        return
    pytest.fail("it never came to an end")


BOTH = pytest.mark.parametrize("lost", [True, False], ids=["answer lost", "remote away"])


@BOTH
def test_a_misbehaving_remote_makes_no_second_plan_and_no_second_comment(
    founded: World, tmp_path: Path, *, lost: bool
) -> None:
    for number in range(1, 30):
        world = worlds.copied(founded, tmp_path / f"w{number}")
        issue = world.ask("count")
        with pytest.MonkeyPatch.context() as patch:
            remote = Remote(patch, number=number, lost=lost)
            until_quiet(world)
        assert [event.type for event in world.events()] == ["genesis", "plan"]
        assert len(world.thread(issue).comments) == 2
        world.check()
        if not remote.was_hit:
            return
    pytest.fail("planning needs fewer pushes than that")


@BOTH
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_misbehaving_remote_makes_no_second_start(world: World, *, number: int, lost: bool) -> None:
    issue = world.planned("count")
    world.approve(issue)
    with pytest.MonkeyPatch.context() as patch:
        remote = Remote(patch, number=number, lost=lost)
        until_quiet(world)
    assert remote.was_hit
    assert world.times() == 1
    assert_done(world, issue)


@BOTH
def test_a_misbehaving_remote_loses_no_evidence_and_keeps_it_once(
    founded: World, tmp_path: Path, *, lost: bool
) -> None:
    sealed = worlds.copied(founded, tmp_path / "sealed")
    wait_for(sealed.spool(sealed.started("count")) / "outcome")
    for number in range(1, 30):
        world = worlds.copied(sealed, tmp_path / f"w{number}")
        with pytest.MonkeyPatch.context() as patch:
            remote = Remote(patch, number=number, lost=lost)
            until_quiet(world)
        assert_done(world, "1")
        shutil.rmtree(world.folder)
        if not remote.was_hit:
            return
    pytest.fail("sealing needs fewer pushes than that")


def test_what_ended_while_the_remote_was_away_waits_in_the_spool_and_lands_once(world: World) -> None:
    issue = world.started()
    wait_for(world.traces / "begun")
    spool = world.spool(issue)
    world.remote.rename(world.folder / "elsewhere")
    (world.traces / "go").touch()
    wait_for(spool / "outcome")
    said = world.cli("alice", "reconcile", "--once")
    assert (said.code, "Traceback" in said.err) == (5, False)
    (world.folder / "elsewhere").rename(world.remote)
    world.reconcile()
    assert world.run(issue).outcome is Status.SUCCEEDED
    assert world.times() == 1
    world.check()


def test_a_worker_that_cannot_ask_the_remote_executes_nothing_and_another_one_does(world: World) -> None:
    issue = world.planned("count")
    world.approve(issue)
    killed_at(world, "_start", when="before")
    world.remote.rename(world.folder / "elsewhere")
    with pytest.raises(OutsideError):
        world.reconcile()
    assert world.times() == 0
    (world.folder / "elsewhere").rename(world.remote)
    world.reconcile()
    assert world.times() == 1
    assert_done(world, issue)


def killed_at(world: World, effect: str, *, when: str, nth: int = 1) -> None:
    """Kill a supervisor before or after the n-th effect of a name."""
    assert killed(world, f"{effect}:{nth}", when=when)


def test_killed_while_it_rehearses_the_request_is_planned_once(world: World) -> None:
    (world.traces / "state").write_text("three files")
    issue = world.ask("look")
    killed_at(world, "_start", when="after")
    world.reconcile()
    run = world.run(issue)
    assert (run.state, len(world.runs())) == (RunState.PLANNED, 1)
    assert "would change three files" in world.words(issue)
    assert len(world.thread(issue).comments) == 2
    assert world.times() == 0
    with world.workspace() as opened:
        assert opened.executor().kept() == (), "the rehearsal that nobody waited for is swept away"


@pytest.fixture
def far(world: World) -> World:
    """A world with a second host, whose silence is waited for a second only."""
    world.commit({"pyproject.toml": SETTINGS.replace("lease = 60", f"lease = {LEASE}")})
    world.admit(FAR)
    return world


def from_far(world: World) -> None:
    """Look from the other host until the lease of the silent owner is over."""
    world.reconcile("bob", host=FAR)
    time.sleep(LEASE + 0.1)
    world.reconcile("bob", host=FAR)


def test_killed_before_the_start_another_host_carries_the_run_out(far: World) -> None:
    issue = far.planned("count")
    far.approve(issue)
    killed_at(far, "publish evidence", nth=2, when="before")
    from_far(far)
    assert far.run(issue).outcome is Status.SUCCEEDED
    assert far.times() == 1
    far.check()


def test_killed_after_the_start_another_host_closes_the_run_and_never_repeats_it(far: World) -> None:
    issue = far.planned("count")
    far.approve(issue)
    killed_at(far, "publish evidence", nth=2, when="after")
    from_far(far)
    run = far.run(issue)
    assert run.state is RunState.INTERRUPTED
    assert far.times() == 0
    assert list(far.locks()) == ["lab/web-1"]
    far.reconcile()
    assert far.times() == 0, "the owner that woke up has nothing to hand over any more"
    far.say("carol", issue, f"/runbook resolve {run.id} did_not_run there is no line")
    far.reconcile("bob", host=FAR)
    assert far.run(issue).state is RunState.RESOLVED
    assert far.locks() == {}
    far.check()


def test_an_owner_that_wakes_up_with_a_result_writes_late_and_nothing_else(far: World) -> None:
    issue = far.started()
    wait_for(far.traces / "begun")
    from_far(far)
    assert far.run(issue).state is RunState.INTERRUPTED
    spool = far.spool(issue)
    (far.traces / "go").touch()
    wait_for(spool / "outcome")
    far.reconcile()
    far.reconcile("bob", host=FAR)
    run = far.run(issue)
    assert run.state is RunState.INTERRUPTED
    assert run.late
    assert isinstance(run.late.body, Late)
    assert run.late.body.outcome is Status.SUCCEEDED
    assert list(far.locks()) == ["lab/web-1"], "a result that came late frees nothing"
    assert markers.find(far.thread(issue), markers.of(run.id, Kind.LATE, 1))
    assert far.times() == 1
    far.check()


def test_kill_of_the_worker_leaves_no_process_and_the_lock_held_until_somebody_resolves(world: World) -> None:
    issue = world.started()
    wait_for(world.traces / "begun")
    worker = parse(Claim, (world.spool(issue) / "claimed").read_bytes()).pid
    others = [int(pid) for pid in (world.traces / "pids").read_text().split()]
    os.kill(worker, signal.SIGKILL)
    assert gone([worker, *others], seconds=5)
    world.reconcile()
    run = world.run(issue)
    assert run.state is RunState.INTERRUPTED
    assert list(world.locks()) == ["lab/web-1"]
    assert markers.find(world.thread(issue), markers.of(run.id, Kind.INTERRUPTED, 1))
    assert world.thread(issue).issue.open
    said = world.cli("carol", "resolve", run.id, "partially_applied", "one", "line", "is", "there")
    assert said.code == 0, said.err
    assert world.run(issue).state is RunState.RESOLVED
    assert world.locks() == {}
    assert world.times("undone") == 0
    world.check()


def test_kill_of_the_supervisor_alone_leaves_the_worker_to_finish_and_to_be_adopted(world: World) -> None:
    issue = world.planned("wait")
    world.approve(issue)
    with world.start_cli("alice", "reconcile", "--once") as supervisor:
        wait_for(world.traces / "begun")
        supervisor.kill()
        supervisor.communicate()
    (world.traces / "go").touch()
    world.reconcile()
    run = world.run(issue)
    assert run.outcome is Status.SUCCEEDED
    assert world.times() == 1
    world.check()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_wish_to_end_cancels_the_run_and_records_that(world: World, number: signal.Signals) -> None:
    issue = world.planned("wait")
    world.approve(issue)
    with world.start_cli("alice", "reconcile", "--once") as supervisor:
        wait_for(world.traces / "begun")
        supervisor.send_signal(number)
        _, err = supervisor.communicate(timeout=60)
    assert supervisor.returncode == 130, err
    # What a cell shows of its own interruption stands behind a bar; the runner itself shows none.
    assert "Traceback" not in "\n".join(line for line in err.splitlines() if not line.startswith("    | "))
    run = world.run(issue)
    assert run.end
    assert isinstance(run.end.body, Finish)
    assert run.outcome is Status.CANCELLED
    assert (world.times("undone"), world.times("always")) == (0, 1)
    assert gone([int(pid) for pid in (world.traces / "pids").read_text().split()], seconds=5)
    assert world.locks() == {}
    world.check()


def test_the_second_wish_to_end_is_obeyed_at_once_and_the_next_reconcile_records_the_end(world: World) -> None:
    issue = world.planned("wait")
    world.approve(issue)
    with world.start_cli("alice", "reconcile", "--once") as supervisor:
        wait_for(world.traces / "begun")
        supervisor.send_signal(signal.SIGINT)
        time.sleep(0.05)
        supervisor.send_signal(signal.SIGINT)
        supervisor.communicate(timeout=60)
    assert supervisor.returncode == 130
    world.reconcile()
    assert world.run(issue).outcome is Status.CANCELLED
    world.check()


def test_a_wish_to_end_while_nothing_runs_ends_the_command_and_loses_nothing(world: World) -> None:
    with world.start_cli("alice", "reconcile", "--every", "1") as supervisor:
        wait_for(world.state() / "lab-00000000" / "heartbeats.json")
        supervisor.send_signal(signal.SIGTERM)
        _, err = supervisor.communicate(timeout=60)
    # What a cell shows of its own interruption stands behind a bar; the runner itself shows none.
    assert "Traceback" not in "\n".join(line for line in err.splitlines() if not line.startswith("    | "))
    issue = world.planned()
    assert world.run(issue).state is RunState.PLANNED


def test_two_supervisors_at_once_start_a_run_once(far: World) -> None:
    issue = far.planned("count")
    far.approve(issue)
    with (
        far.start_cli("alice", "reconcile", "--once") as one,
        far.start_cli("bob", "reconcile", "--once", host=FAR) as two,
    ):
        for process in (one, two):
            process.communicate(timeout=120)
    far.reconcile()
    assert far.times() == 1
    assert sum(event.type == "start" for event in far.events()) == 1
    assert far.run(issue).state is RunState.FINISHED
    far.check()


def test_no_event_says_interrupted_of_a_run_that_was_never_in_doubt(world: World) -> None:
    world.done("count")
    assert not [event for event in world.events() if isinstance(event.body, Interrupt)]


def gone(pids: list[int], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(of_process(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
