"""A worker is driven by the open start, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from runner.digest import parse
from runner.errors import IntegrityError
from runner.execution.order import PAYLOAD_TYPE, Order
from runner.ledger.envelope import open_envelope
from runner.supervisor.start_check import still_open
from tests.stories import world as worlds
from tests.stories.world import World, wait_for


@pytest.fixture
def world(tmp_path: Path) -> World:
    return worlds.found(tmp_path / "w")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda _: {"nonce": "0" * 32}, "not the start"),
        (lambda _: {"plan_digest": "0" * 64}, "not the start"),
        (lambda order: {"start": order.start - 1}, "not the start"),
        (lambda _: {"start": None}, "not the start"),
        (lambda _: {"run": "20260101T000000Z-other-00000000"}, "not the start"),
    ],
    ids=["nonce", "plan", "another event", "none", "another run"],
)
def test_a_worker_is_driven_by_nothing_but_the_open_start(
    world: World, change: Callable[[Order], dict[str, object]], words: str
) -> None:
    issue = world.started()
    spool = world.spool(issue)
    keys = (spool / "trusted_keys").read_text().split("\n")[:1]
    order = parse(Order, open_envelope((spool / "order.dsse.json").read_bytes(), keys=keys, payload_type=PAYLOAD_TYPE))
    with world.on():
        still_open(order)
        with pytest.raises(IntegrityError, match=words):
            still_open(msgspec.structs.replace(order, **change(order)))
        (world.traces / "go").touch()
        wait_for(spool / "outcome")
        world.reconcile()
        with pytest.raises(IntegrityError, match="not open"):
            still_open(order)
