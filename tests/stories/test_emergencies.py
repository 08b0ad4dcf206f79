"""Emergencies: they start with fewer approvals, and what they owe is listed and reminded of until it is paid."""

from __future__ import annotations

import json
import shutil
import time
from datetime import timedelta
from pathlib import Path

import pytest

from runner import wiring
from runner.ledger.bodies import Status
from runner.plan.run import RunState
from runner.publication import markers
from runner.publication.markers import Kind
from tests.stories import world as worlds
from tests.stories.test_kill_anywhere import killed, kinds
from tests.stories.test_windows_and_the_queue import reconcile
from tests.stories.world import POLICY, World

EMERGENCY = 'emergency = {request = ["@oncall"], approve = {count = 0}, due = "8h", despite_freeze = true}\n'
FREEZE = '[[freeze]]\nname = "sale"\nfrom = 2026-01-01T00:00:00Z\nuntil = 2100-01-01T00:00:00Z\n'


def asked(world: World, *, person: str = "carol", why: str = "the shop is down") -> str:
    """The issue of an emergency that has come as far as it can."""
    said = world.cli(person, "run", "count", f"folder={world.traces}", "--emergency", why, "--json")
    issue: str = json.loads(said.out)["issue"]
    return issue


def listed(world: World, issue: str) -> tuple[str, str, list[dict[str, object]]]:
    """What status, log and verify say that an emergency owes."""
    run = world.run(issue).id
    status = json.loads(world.cli("bob", "status", "--json").out)["owed"].get(run, "")
    (row,) = (row for row in json.loads(world.cli("bob", "log", "--json").out) if row["run"] == run)
    report = json.loads(world.cli("bob", "verify", "--json").out)
    assert report["standing"] == "clean", report["lines"]
    return status, row["owes"], report["owed"]


def reminders(world: World, issue: str) -> int:
    marker = markers.of(world.run(issue).id, Kind.OWED, 1)
    return sum(one.ours and one.body.rstrip().endswith(marker) for one in world.thread(issue).comments)


def test_an_emergency_starts_at_once_and_what_it_owes_is_listed_reminded_of_once_and_paid_afterwards(
    world: World,
) -> None:
    world.commit({"runbooks/policy.toml": POLICY + EMERGENCY + FREEZE})
    issue = asked(world)
    run = world.run(issue)
    assert (run.outcome, world.times()) == (Status.SUCCEEDED, 1), "in a freeze, and with no approval"
    assert world.thread(issue).issue.open, "until it owes nothing any more"
    assert "EMERGENCY:** `the shop is down`" in world.words(issue)
    status, log, verify = listed(world, issue)
    assert f"needs 1 more of @team ({world.id('alice')}, {world.id('bob')})" in status
    assert log == status
    assert [(one["run"], one["overdue"]) for one in verify] == [(run.id, False)]
    now = wiring.now()
    reconcile(world, at=now + timedelta(hours=3))
    assert reminders(world, issue) == 0
    for hours in (5, 9):
        reconcile(world, at=now + timedelta(hours=hours))
        assert reminders(world, issue) == 1
    world.say("carol", issue, f"/runbook approve {run.digest[:12]} it was me")
    world.say("bob", issue, f"/runbook approve {run.digest[:12]} looked at the result")
    world.say("alice", issue, f"/runbook approve {run.digest[:12]} me too")
    reconcile(world, at=now + timedelta(hours=9))
    assert kinds(world) == ["genesis", "plan", "start", "finish", "approve", "approve"]
    assert "the requester's own yes never counts" in world.words(issue)
    assert listed(world, issue) == ("", "", [])
    assert world.run(issue).state is RunState.FINISHED
    assert not world.thread(issue).issue.open
    world.check()


def test_only_those_whom_policy_names_may_call_it_an_emergency(world: World) -> None:
    issue = asked(world)
    assert 'rule "by two people" knows no emergencies' in world.words(issue)
    world.commit({"runbooks/policy.toml": POLICY + EMERGENCY})
    issue = asked(world, person="alice")
    assert f"{world.id('alice')} may not request this on lab/web-1" in world.words(issue)
    assert kinds(world) == ["genesis"]


def test_it_waits_for_the_approvals_that_policy_asks_for_in_an_emergency_and_is_next_in_line(world: World) -> None:
    policy = POLICY + EMERGENCY.replace("{count = 0}", '{count = 1, from = ["bob@example.org"]}')
    world.commit({"runbooks/policy.toml": policy})
    usual, urgent = world.planned("count"), asked(world)
    assert world.run(urgent).state is RunState.PLANNED
    for issue in (usual, urgent):
        world.approve(issue)
    world.reconcile()
    starts = [event.run for event in world.events() if event.type == "start"]
    assert starts == [world.run(urgent).id, world.run(usual).id]
    assert listed(world, urgent) == ("", "", []), "bob's yes is all that the rule asks for otherwise"
    assert world.run(urgent).plan.said.by == world.id("carol")


def test_an_ordinary_run_takes_no_approval_after_its_start(world: World) -> None:
    issue = world.done("fail")
    world.approve(issue)
    world.reconcile()
    assert "too late or too early" in world.words(issue)


def test_killed_at_any_point_it_is_reminded_of_once_and_paid_once(founded: World, tmp_path: Path) -> None:
    ready = worlds.copied(founded, tmp_path / "ready")
    ready.commit({"runbooks/policy.toml": POLICY + EMERGENCY.replace("8h", "2s")})
    issue = asked(ready)
    time.sleep(1)
    ready.say("bob", issue, f"/runbook approve {ready.run(issue).digest[:12]} looked at the result")
    for number in range(1, 20):
        shutil.rmtree(tmp_path / "w", ignore_errors=True)
        world = worlds.copied(ready, tmp_path / "w")
        # To be killed after one effect is to be killed before the next.
        on_the_way = killed(world, number, when="after")
        world.reconcile("bob")
        assert kinds(world) == ["genesis", "plan", "start", "finish", "approve"]
        assert reminders(world, issue) <= 1
        world.check()
        if not on_the_way:
            return
    pytest.fail("it never got through")
