"""Kinds: equal ones are spelled alike, and what a kernel could tell apart makes another one."""

from __future__ import annotations

import msgspec
import pytest

from runner.digest import parse, sha256
from runner.execution.kind import Kind, kind_of
from runner.execution.order import Mode, Order
from runner.execution.sandbox import Limits
from runner.ledger.envelope import unchecked_payload
from tests.execution.conftest import Prepare


@pytest.fixture
def order(prepare: Prepare) -> Order:
    spool = prepare(("change", "1"), write=()).spool
    return parse(Order, unchecked_payload((spool / "order.dsse.json").read_bytes()))


def test_an_order_that_opens_nothing_is_of_the_first_kind(order: Order) -> None:
    assert kind_of(order) == str(Kind())
    assert parse(Kind, kind_of(order).encode()) == Kind()


@pytest.mark.parametrize(
    "change",
    [
        {"network": True},
        {"processes": "host"},
        {"read": ("/srv",)},
        {"write": ("/srv",)},
        {"limits": Limits(processes=7)},
        {"environment_lock": sha256(b"")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_a_kernel_could_tell_apart_makes_another_kind(order: Order, change: dict[str, object]) -> None:
    assert kind_of(msgspec.structs.replace(order, **change)) != kind_of(order)


def test_what_no_kernel_carries_out_has_no_kind(order: Order) -> None:
    assert kind_of(msgspec.structs.replace(order, mode=Mode.PREPARE)) == ""
