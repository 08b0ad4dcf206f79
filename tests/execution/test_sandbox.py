from __future__ import annotations

from runner.digest import canonical, parse
from runner.execution.sandbox import Limits, Sandbox


def test_equal_sandboxes_are_one_key_and_any_difference_another() -> None:
    one = Sandbox(level="bwrap", read=("/srv",))
    assert {one: "kernel"}[Sandbox(level="bwrap", read=("/srv",))] == "kernel"
    others = [
        Sandbox(level="subreaper", read=("/srv",)),
        Sandbox(level="bwrap", write=("/srv",)),
        Sandbox(level="bwrap", read=("/srv",), network=True),
        Sandbox(level="bwrap", read=("/srv",), processes="host"),
        Sandbox(level="bwrap", read=("/srv",), hidden=("/srv/key",)),
        Sandbox(level="bwrap", read=("/srv",), limits=Limits(memory=1)),
        Sandbox(level="bwrap", read=("/srv",), python="/usr/bin/python3"),
    ]
    assert one not in others
    assert len(set(others)) == len(others)


def test_limits_travel_in_an_order() -> None:
    limits = Limits(memory=512, processes=16)
    assert parse(Limits, canonical(limits)) == limits
