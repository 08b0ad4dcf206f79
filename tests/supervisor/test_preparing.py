"""Making ready, with the real worker."""

from __future__ import annotations

import pytest

from runner.errors import OutsideError
from runner.execution.order import Mode
from runner.execution.progress import Progress
from runner.plan.plan import Plan
from runner.ports.executor import Work
from runner.supervisor import orders, preparing
from runner.supervisor.desk import Desk
from runner.supervisor.preparing import UnpreparedError
from tests.stories.world import World
from tests.supervisor.desks import desk_in, known_in
from tests.supervisor.test_orders import order_in


def preparation(desk: Desk, plan: Plan, *, change: bool = True) -> Work:
    return orders.preparation(desk, plan, notebook=orders.pinned(desk, plan), change=change)


def test_only_a_plan_that_names_something_has_to_be_made_ready(world: World) -> None:
    world.planned("secret")
    world.planned("count", host="web-2")
    with desk_in(world) as desk:
        plans = {plan.runbook.name: plan for plan in (desk.plan(run) for run in world.runs())}
    assert {name: preparing.needed(plan) for name, plan in plans.items()} == {"secret": True, "count": False}


def test_what_is_missing_is_said_each_time_anew_and_leaves_nothing_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.planned("secret")
    with desk_in(world) as desk:
        plan = known_in(desk).plan
        work = preparation(desk, plan)
        order = order_in(work)
        assert (order.mode, order.start, order.change_secrets) == (Mode.PREPARE, None, ("FROM_FILE", "FROM_ENV"))
        assert order_in(preparation(desk, plan, change=False)).change_secrets == ()
        with pytest.raises(UnpreparedError, match="starting it: reading the secret FROM_FILE"):
            preparing.prepare(desk, plan, work, doing="starting it", again="go on", watch=lambda _so_far: None)
        monkeypatch.setenv("RUNBOOK_SECRET_FROM_FILE", "value-of-the-file")
        monkeypatch.setenv("RUNBOOK_SECRET_FROM_ENV", "value-of-the-variable")
    with desk_in(world) as desk:
        preparing.prepare(
            desk, plan, preparation(desk, plan), doing="starting it", again="go on", watch=lambda _so_far: None
        )
        assert desk.executor.kept() == ()


def test_a_worker_that_dies_is_outside_trouble(world: World) -> None:
    world.planned("secret")
    with desk_in(world) as desk:
        plan = known_in(desk).plan
        work = preparation(desk, plan)
        # Started once and without a spool now: nobody knows what became of it.
        mark = desk.workspace.state / "spool-started" / desk.executor.spool(work.key).name  # type: ignore[attr-defined] # only the local one has it
        mark.parent.mkdir(exist_ok=True)
        watched = []

        def lose(_so_far: Progress | None) -> None:
            watched.append(1)
            mark.touch()
            (desk.executor.spool(work.key) / "ready").unlink(missing_ok=True)  # type: ignore[attr-defined] # the same

        with pytest.raises(OutsideError, match="starting it: the worker died"):
            preparing.prepare(desk, plan, work, doing="starting it", again="go on", watch=lose)
        assert watched
