"""The loop: it comes to an end, it is alone on its machine, and what comes to nothing is left for the next call."""

from __future__ import annotations

import fcntl

from runner import wiring
from runner.plan.run import RunState
from runner.ports.forge import IssueId
from runner.supervisor.supervisor import Supervisor
from runner.supervisor.watcher import Watcher
from tests.stories.world import World, git, wait_for


def test_a_second_reconcile_changes_nothing(world: World) -> None:
    world.done()
    before = git(world.remote, "for-each-ref")
    world.reconcile()
    world.reconcile("bob")
    assert git(world.remote, "for-each-ref") == before


def test_only_one_issue_is_looked_at_if_asked_so(world: World) -> None:
    first, second = world.ask("count"), world.ask("count")
    world.reconcile(issue=second)
    assert [run.plan.issue for run in world.runs()] == [second]
    assert first


def test_two_supervisors_of_one_machine_wait_for_each_other(world: World) -> None:
    world.ask("count")
    words: list[str] = []
    lock = world.state() / "lab-00000000" / "supervisor.lock"
    with lock.open("w") as held, world.workspace() as opened:
        fcntl.flock(held, fcntl.LOCK_EX)

        def say(text: str) -> None:
            words.append(text)
            fcntl.flock(held, fcntl.LOCK_UN)

        watcher = Watcher(say=say, progress=lambda _run, _said: None)
        Supervisor(opened, now=wiring.now, watcher=watcher).reconcile()
    assert words[0].startswith("another supervisor is at work")
    assert len(world.runs()) == 1


def test_whoever_does_not_wait_leaves_the_worker_to_a_later_call(world: World) -> None:
    issue = world.started()
    wait_for(world.traces / "begun")
    assert world.run(issue).state is RunState.STARTED
    (world.traces / "go").touch()
    wait_for(world.spool(issue) / "outcome")
    snapshot = world.reconcile(issue=IssueId(issue), wait=False)
    assert [known.run.state for known in snapshot.runs] == [RunState.FINISHED]
