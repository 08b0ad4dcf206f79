"""A run's effects, each judging its own precondition at the moment when it becomes true."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from runner import wiring
from runner.errors import RequestError
from runner.plan.run import RunState
from runner.ports.executor import WorkState
from runner.supervisor import record, running
from runner.supervisor.desk import Desk
from runner.supervisor.gather import work_key
from tests.stories.world import World, wait_for
from tests.supervisor.desks import desk_in, known_in, seen


def record_words(desk: Desk) -> None:
    for heard in seen(desk).heard:
        record.heard(desk.ledger, heard.run, heard.body, plan=heard.plan, writer=desk.writer, now=desk.now)


def test_what_was_not_allowed_does_not_start_whatever_somebody_believes(world: World) -> None:
    issue = world.planned()
    with desk_in(world) as desk:
        assert not running.start(desk, known_in(desk))
    assert world.run(issue).state is RunState.PLANNED


def test_a_run_does_not_start_on_another_executor_than_it_was_planned_for(world: World) -> None:
    issue = world.planned()
    world.approve(issue)
    with desk_in(world) as desk:
        record_words(desk)
        known = known_in(desk)
        elsewhere = replace(known, plan=structs.replace(known.plan, executor="gitlab-ci"))
        with pytest.raises(RequestError, match="planned for executor gitlab-ci, and the settings now say local"):
            running.start(desk, elsewhere)
    assert world.run(issue).state is RunState.PLANNED


def test_a_start_happens_once_and_not_on_a_held_lock(world: World) -> None:
    first, second = world.planned(), world.planned()
    for issue in (first, second):
        world.approve(issue)
    with desk_in(world) as desk:
        record_words(desk)
        one, two = seen(desk).runs
        assert [running.start(desk, each) for each in (one, one, two)] == [True, False, False]
    assert len(world.locks()) == 1
    assert sum(event.type == "start" for event in world.events()) == 1


def test_an_approval_that_was_revoked_in_between_carries_no_start(world: World) -> None:
    issue = world.planned()
    world.approve(issue)
    with desk_in(world) as desk:
        record_words(desk)
        known = known_in(desk)
        world.say("bob", issue, f"/runbook revoke {known.run.digest[:12]} wait")
    with desk_in(world) as desk:
        record_words(desk)
        assert not running.start(desk, known)
    assert world.locks() == {}


def test_submitting_twice_executes_once_and_finishing_twice_records_once(world: World) -> None:
    issue = world.planned()
    world.approve(issue)
    with desk_in(world) as desk:
        record_words(desk)
        assert running.start(desk, known_in(desk))
        known = known_in(desk)
        running.submit(desk, known)
        running.submit(desk, known)
        spool = world.spool(issue)
        wait_for(spool / "outcome")
        assert desk.executor.state(work_key(known.run)) is WorkState.SEALED
        assert running.finish(desk, known)
        assert not spool.exists()
    assert world.times() == 1
    assert [event.type for event in world.events()].count("finish") == 1


def test_what_a_worker_refused_is_recorded_as_nothing_executed_and_verifies(world: World) -> None:
    issue = world.planned()
    world.approve(issue)
    with desk_in(world) as desk:
        record_words(desk)
        assert running.start(desk, known_in(desk))
        known = known_in(desk)
        assert running.interrupt(desk, known, reason="another machine thought that its owner was lost")
        running.submit(desk, known)
        wait_for(world.spool(issue) / "outcome")
    with desk_in(world) as desk:
        assert running.finish(desk, known_in(desk))
    assert world.times() == 0
    run = world.run(issue)
    assert run.late is not None
    verified = world.cli("alice", "verify")
    assert verified.code == 0, verified.out


def test_an_interrupt_keeps_what_the_dead_workers_transcript_shows(world: World) -> None:
    issue = world.started()
    wait_for(world.traces / "begun")
    with desk_in(world) as desk:
        known = known_in(desk)
        assert running.interrupt(desk, known, reason="a test says so")
        assert not running.interrupt(desk, known, reason="twice")
    run = world.run(issue)
    assert (run.state, run.message) == (RunState.INTERRUPTED, "a test says so")
    transcript = world.evidence(
        f"outputs/runs/{run.id[:4]}/{run.id[4:6]}/{run.id[6:8]}/{run.id}/attempts/1/transcript.jsonl"
    )
    assert b"change" in transcript
    (world.traces / "go").touch()


def test_what_was_never_started_is_neither_submitted_nor_interrupted(world: World) -> None:
    world.planned()
    with desk_in(world) as desk:
        known = known_in(desk)
        with pytest.raises(TypeError, match="never started"):
            running.submit(desk, known)
        with pytest.raises(TypeError, match="never started"):
            running.interrupt(desk, known, reason="no")


def test_a_plan_expires_once(world: World) -> None:
    issue = world.planned()
    with desk_in(world) as desk:
        late = replace(desk, now=wiring.now)
        known = known_in(desk)
        assert [running.expire(late, known) for _ in range(2)] == [True, False]
    assert world.run(issue).state is RunState.EXPIRED
