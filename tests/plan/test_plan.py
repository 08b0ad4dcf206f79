"""The plan: its digest is that of its exact bytes."""

from __future__ import annotations

import msgspec
import pytest

from runner.digest import sha256
from runner.plan import plan as plans
from tests.builders import a_plan


def test_the_digest_is_that_of_the_bytes_that_are_stored() -> None:
    plan = a_plan()
    assert plan.digest == sha256(plan.to_bytes())
    assert plans.read(plan.to_bytes()) == plan


@pytest.mark.parametrize("name", [name for name in a_plan().__struct_fields__ if name != "schema"])
def test_no_part_of_a_plan_can_change_without_changing_its_digest(name: str) -> None:
    plan = a_plan()
    old = getattr(plan, name)
    new: object = {str: "other", bool: not old, float: 1.5, dict: {}, tuple: ("other",)}.get(type(old), "other")
    if name in {"runbook", "requested", "rehearsal"}:
        first = old.__struct_fields__[0]
        new = msgspec.structs.replace(old, **{first: "other"})
    assert sha256(msgspec.json.encode(msgspec.structs.replace(plan, **{name: new}))) != sha256(
        msgspec.json.encode(plan)
    )


def test_a_field_that_we_do_not_know_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        plans.read(a_plan().to_bytes().replace(b'"run":', b'"ran": 1,\n  "run":', 1))
