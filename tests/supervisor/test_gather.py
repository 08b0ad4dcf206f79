"""Gathering: what is read, and that reading changes nothing."""

from __future__ import annotations

import pytest

from runner.errors import OutsideError
from runner.plan.run import RunState
from runner.ports.executor import WorkState
from runner.ports.forge import IssueId
from runner.publication.labels import Label
from runner.publication.markers import Kind
from runner.repository import refs
from runner.supervisor import record, running
from runner.supervisor.gather import somebody_spoke, unheard
from runner.supervisor.heartbeat import Observer
from tests.stories.world import World, git
from tests.supervisor.desks import desk_in, known_in, seen


def refs_of(world: World) -> bytes:
    return git(world.remote, "for-each-ref")


def test_a_fresh_request_is_seen_and_nothing_is_changed_by_that(world: World) -> None:
    world.ask("count")
    before = refs_of(world)
    with desk_in(world) as desk:
        snapshot = seen(desk)
    assert [one.runbook for one in snapshot.requests] == ["count"]
    assert (snapshot.runs, snapshot.heard, snapshot.unheard) == ((), (), ())
    assert refs_of(world) == before


def test_a_planned_run_has_its_verdict_and_what_was_told(world: World) -> None:
    world.planned()
    with desk_in(world) as desk:
        known = known_in(desk)
    assert known.told == {Kind.PLAN}
    assert known.decision
    assert not known.decision.allowed
    assert (known.ours, known.work, known.label) == (False, WorkState.UNKNOWN, None)


def test_the_newest_run_of_an_issue_speaks_for_its_label(world: World) -> None:
    issue = world.planned()
    world.say("alice", issue, "/runbook cancel --leave no")
    world.reconcile()
    world.ask("count", issue=issue)
    world.reconcile()
    assert world.thread(issue).issue.labels == {Label.PLANNED.value}
    with desk_in(world) as desk:
        assert [known.label for known in seen(desk).runs] == [None, None]


def test_another_runs_lock_is_named(world: World) -> None:
    issue = world.planned()
    other = world.planned()
    world.approve(issue)
    with desk_in(world) as desk:
        for heard in seen(desk).heard:
            record.heard(desk.ledger, heard.run, heard.body, plan=heard.plan, writer=desk.writer, now=desk.now)
        started = next(known for known in seen(desk).runs if known.run.plan.issue == issue)
        assert running.start(desk, started)
        first, second = (one for one in seen(desk).runs)
    assert {first.holder, second.holder} == {None, first.run.id if second.holder else second.run.id}
    assert world.run(other).state is RunState.PLANNED


def test_an_issue_that_was_tampered_with_stops_nobody_else(world: World) -> None:
    good = world.ask("count")
    bad = world.ask("count")
    tamper(world, bad)
    snapshot = world.reconcile()
    assert snapshot.trouble
    assert world.run(good).state is RunState.PLANNED
    assert len(world.runs()) == 1


def tamper(world: World, issue: str) -> None:
    """Change the first file of an issue, as anybody who can push can."""
    clone = world.clone("mallory")
    git(clone, "fetch", "-q", "origin")
    git(clone, "checkout", "-q", "-B", "issues", "origin/issues")
    files = git(clone, "ls-files").decode().split()
    name = next(one for one in files if any(part.isdigit() and int(part) == int(issue) for part in one.split("/")))
    (clone / name).write_bytes((clone / name).read_bytes().replace(b"runbook:", b"runbouk:"))
    git(clone, "commit", "-q", "-am", "tampered")
    git(clone, "push", "-q", "origin", "issues")


def test_somebody_spoke_only_if_people_wrote_what_was_not_read(world: World) -> None:
    issue = world.planned()
    with desk_in(world) as desk:
        snapshot = seen(desk)
        assert not somebody_spoke(desk, snapshot, only=None)
    world.say("bob", issue, "hello")
    with desk_in(world) as desk:
        assert somebody_spoke(desk, snapshot, only=None)
        assert not somebody_spoke(desk, seen(desk), only=None)
        world.ask("count")
        with desk_in(world) as later:
            assert not somebody_spoke(later, seen(later, only=issue), only=IssueId(issue))


def test_nothing_is_concluded_from_a_remote_that_does_not_answer(world: World) -> None:
    world.planned()
    with desk_in(world) as desk:
        world.remote.rename(world.folder / "elsewhere")
        with pytest.raises(OutsideError):
            refs.heads(desk.workspace.repository, "*")
    with pytest.raises(OutsideError), desk_in(world):
        pytest.fail("the remote is away")


def test_a_started_run_comes_to_its_end_on_record_though_its_issue_was_tampered_with(world: World) -> None:
    issue = world.started()
    tamper(world, issue)
    (world.traces / "go").touch()
    world.reconcile()
    assert [event.type for event in world.events()][-1] == "finish"
    assert world.locks() == {}


def test_a_plan_waits_while_its_issue_is_closed_and_nobody_approves_there(world: World) -> None:
    issue = world.planned()
    world.close("alice", issue)
    world.approve(issue)
    with desk_in(world) as desk:
        snapshot = seen(desk)
        (known,), (answer,) = snapshot.runs, snapshot.unheard
        assert snapshot.heard == ()
        assert known.decision is not None
        assert known.decision.reasons[-1] == "its issue is closed; it goes on when somebody opens it again"
        assert "the issue is closed; open it again" in answer.body
        desk.forge.reopen(IssueId(issue))
    with desk_in(world) as desk:
        assert len(seen(desk).heard) == 1


def test_what_has_started_here_is_looked_at_without_the_forge(world: World) -> None:
    issue = world.started()
    with desk_in(world) as desk:
        observer = Observer(desk.workspace.state / "heartbeats.json", lease=60.0, monotonic=float, boot="b")
        (known,) = unheard(desk, observer).runs
    assert (known.run.plan.issue, known.ours, known.thread.comments) == (issue, True, ())
    assert known.told == frozenset(Kind)
    (world.traces / "go").touch()
