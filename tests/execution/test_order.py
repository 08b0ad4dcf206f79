"""The work order as it is stored: complete, strict, and without a secret's value."""

from __future__ import annotations

import json

import msgspec
import pytest

from runner.digest import canonical, parse, sha256
from runner.execution.order import Mode, Order

from .conftest import notebook, order_for

ORDER = msgspec.structs.replace(
    order_for(notebook(("plan", "1")), plan_outputs={"c0": "1"}), files={"a.plan": sha256(b"a")}, parameters={"n": [1]}
)

LATER = {"files", "schema", "read", "processes", "limits", "proposes", "present", "merged"}
LATER |= {"environmentLock", "done", "records", "movedByUs", "undo", "restored", "breakGlass"}


def test_an_order_comes_back_as_it_was_signed() -> None:
    assert parse(Order, canonical(ORDER)) == ORDER


def test_the_same_order_has_the_same_bytes() -> None:
    shuffled = msgspec.structs.replace(ORDER, environment=dict(reversed([*ORDER.environment.items(), ("A", "1")])))
    plain = msgspec.structs.replace(ORDER, environment={**ORDER.environment, "A": "1"})
    assert canonical(shuffled) == canonical(plain)


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"mode": "both"},
        {"attempt": "1"},
        {"start": 1.5},
        {"network": "yes"},
        {"timeout": None},
        {"files": {"a": 1}},
    ],
)
def test_what_is_not_exactly_an_order_is_none(change: dict[str, object]) -> None:
    written: dict[str, object] = json.loads(canonical(ORDER))
    with pytest.raises(msgspec.ValidationError):
        parse(Order, canonical(written | change))


def test_only_what_came_later_may_be_left_out() -> None:
    written: dict[str, object] = json.loads(canonical(ORDER))
    for name in written:
        less = canonical({key: value for key, value in written.items() if key != name})
        if name in LATER:
            parse(Order, less)
        else:
            with pytest.raises(msgspec.ValidationError, match=name):
                parse(Order, less)


def test_secrets_are_names_and_nothing_more() -> None:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(Order)}
    assert {name for name in fields if "secret" in name.lower()} == {"readSecrets", "changeSecrets"}
    assert fields["readSecrets"] == fields["changeSecrets"] == tuple[str, ...]


def test_a_rehearsal_names_no_start() -> None:
    rehearsal = msgspec.structs.replace(ORDER, mode=Mode.REHEARSE, start=None, plan_digest=None, fingerprint=None)
    assert parse(Order, canonical(rehearsal)) == rehearsal
