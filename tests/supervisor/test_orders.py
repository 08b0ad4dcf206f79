"""Work orders: signed, complete, and only of what was approved."""

from __future__ import annotations

import pytest
from msgspec import structs

from runner.digest import Digest, parse
from runner.errors import IntegrityError
from runner.execution.order import PAYLOAD_TYPE, Mode, Order
from runner.ledger.bodies import Start
from runner.ledger.envelope import open_envelope
from runner.ports.executor import Work
from runner.supervisor import orders
from tests.stories.world import World, wait_for
from tests.supervisor.desks import desk_in, known_in


def order_in(work: Work) -> Order:
    keys = work.files["trusted_keys"].decode().split("\n")
    payload = open_envelope(work.files["order.dsse.json"], keys=[one for one in keys if one], payload_type=PAYLOAD_TYPE)
    return parse(Order, payload)


def test_an_attempt_is_ordered_with_its_claim_and_the_pinned_runbook(world: World) -> None:
    issue = world.started()
    with desk_in(world) as desk:
        known = known_in(desk)
        start = known.run.start
        assert start
        assert isinstance(start.body, Start)
        work = orders.attempt(desk, known.plan, digest=known.run.digest, start=start, files={"plan-file-x": b"x"})
        order = order_in(work)
        wrong = structs.replace(known.plan, runbook=structs.replace(known.plan.runbook, sha256=Digest("0" * 64)))
        with pytest.raises(IntegrityError, match="not the runbook of the plan"):
            orders.attempt(desk, wrong, digest=known.run.digest, start=start, files={})
    assert work.key == f"{known.run.id}/1"
    assert (order.mode, order.start, order.nonce) == (Mode.RUN, start.seq, start.body.nonce)
    assert order.environment["RUNBOOK_FENCE"] == str(start.seq)
    assert work.files["plan-file-x"] == b"x"
    (world.traces / "go").touch()
    wait_for(world.spool(issue) / "outcome")


def test_a_rehearsal_is_ordered_without_what_could_change_anything(world: World) -> None:
    world.planned("secret")
    with desk_in(world) as desk:
        plan = known_in(desk).plan
        notebook = desk.workspace.objects.read(plan.runbook.commit, plan.runbook.path)
        assert notebook
        order = order_in(orders.rehearsal(desk, plan, notebook=notebook))
    assert plan.change_secrets
    assert (order.mode, order.change_secrets, order.write, order.start) == (Mode.REHEARSE, (), (), None)
    assert "RUNBOOK_FENCE" not in order.environment
