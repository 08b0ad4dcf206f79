"""Waiting: in the queue of a lock, for a window, for the end of a freeze. What may start then starts by itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from runner import wiring
from runner.ledger.bodies import Start, Status
from runner.plan.run import RunState
from runner.supervisor.supervisor import Supervisor
from runner.supervisor.watcher import Watcher
from tests.stories.world import POLICY, World, wait_for


def started(world: World) -> list[str]:
    """The issues whose runs were started, in order."""
    issues = {run.id: run.plan.issue for run in world.runs()}
    return [issues[event.run or ""] for event in world.events() if isinstance(event.body, Start)]


def reconcile(world: World, *, at: datetime) -> None:
    """Let the runner's machine do what can be done at some time."""
    with world.workspace() as opened:
        watcher = Watcher(say=lambda _text: None, progress=lambda _run, _said: None)
        Supervisor(opened, now=lambda: at, watcher=watcher).reconcile()


def test_runs_for_one_lock_start_in_the_order_of_their_plans_whatever_issue_is_looked_at(world: World) -> None:
    holder = world.started("wait")
    wait_for(world.traces / "begun")
    pending, first, second = (world.planned("count") for _ in range(3))
    for issue in (second, first):
        world.approve(issue)
    world.reconcile(wait=False)
    world.say("bob", second, "/runbook status")
    world.reconcile(wait=False)
    live = {one["issue"]: one for one in json.loads(world.cli("bob", "status", "--json").out)["live"]}
    assert [live[issue]["place"] for issue in (pending, first, second)] == [0, 1, 2]
    assert f"{world.run(first).id}, which is ahead of it (place 2)" in live[second]["waits_for"]
    assert f"place 2 in the queue, after {world.run(first).id}" in world.words(second)
    assert world.thread(second).issue.labels == {"runbook::approved"}
    (world.traces / "go").touch()
    world.reconcile(issue=holder)
    world.reconcile(issue=second)
    assert started(world) == [holder], "whoever looks at one issue only does not overtake the others"
    world.reconcile()
    assert started(world) == [holder, first, second]
    assert world.run(pending).state is RunState.PLANNED
    world.check()


def window(*, opens: datetime, expires: str = "24h") -> str:
    closes = opens + timedelta(hours=1)
    text = f'[[window]]\nname = "at night"\nfrom = {opens.isoformat()}\nuntil = {closes.isoformat()}\n'
    return POLICY.replace('expires = "24h"', f'expires = "{expires}"') + text


def test_what_a_window_holds_back_starts_by_itself_when_it_opens(world: World) -> None:
    now = wiring.now()
    world.commit({"runbooks/policy.toml": window(opens=now + timedelta(hours=3))})
    held = world.planned("count")
    world.approve(held)
    world.reconcile()
    assert (world.run(held).state, world.times()) == (RunState.PLANNED, 0)
    assert world.thread(held).issue.labels == {"runbook::approved"}, "no approval is missing; only time"
    (live,) = json.loads(world.cli("bob", "status", "--json").out)["live"]
    assert live["place"] == 0, "it does not stand in the queue"
    assert "at night" in " ".join(live["waits_for"])
    reconcile(world, at=now + timedelta(hours=2, minutes=59))
    assert world.times() == 0
    reconcile(world, at=now + timedelta(hours=3, minutes=1))
    assert (world.run(held).outcome, world.times()) == (Status.SUCCEEDED, 1)
    world.check()


def test_an_approval_that_has_expired_by_then_starts_nothing_and_the_end_of_the_plan_is_told(world: World) -> None:
    now = wiring.now()
    world.commit({"runbooks/policy.toml": window(opens=now + timedelta(hours=3), expires="2h")})
    issue = world.planned("count")
    world.approve(issue)
    world.reconcile()
    reconcile(world, at=now + timedelta(hours=3, minutes=1))
    assert (world.run(issue).state, world.times()) == (RunState.PLANNED, 0)
    assert world.thread(issue).issue.labels == {"runbook::planned"}
    reconcile(world, at=now + timedelta(hours=25))
    assert world.run(issue).state is RunState.EXPIRED
    assert "expired" in world.words(issue)
    assert world.thread(issue).issue.labels == {"runbook::expired"}
    world.check()


def test_a_freeze_holds_back_and_a_plan_that_is_held_keeps_nobody_waiting(world: World) -> None:
    now = wiring.now()
    until = now + timedelta(hours=2)
    freeze = (
        f'[[freeze]]\nname = "sale"\nrunbook = ["look"]\nfrom = 2026-01-01T00:00:00Z\nuntil = {until.isoformat()}\n'
    )
    world.commit({"runbooks/policy.toml": POLICY + freeze})
    (world.traces / "state").write_text("green")
    held, other = world.planned("look"), world.planned("count")
    for issue in (held, other):
        world.approve(issue)
    world.reconcile()
    assert started(world) == [other], "it was planned later, for the same lock"
    reconcile(world, at=until.astimezone(UTC) + timedelta(minutes=1))
    assert started(world) == [other, held]
    world.check()
