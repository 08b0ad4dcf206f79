"""The queue: one order for everybody, and nobody waits for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.plan.queue import Waiting, ahead


def run(name: str, planned: int, *locks: str, urgent: bool = False) -> Waiting:
    return Waiting(run=name, planned=planned, locks=locks, urgent=urgent)


def test_plans_for_one_lock_stand_in_the_order_of_the_ledger() -> None:
    line = ahead([run("c", 9, "x"), run("a", 3, "x"), run("b", 5, "x")])
    assert line == {"a": (), "b": ("a",), "c": ("a", "b")}


def test_plans_for_different_locks_do_not_wait_for_each_other() -> None:
    assert ahead([run("a", 3, "x"), run("b", 5, "y")]) == {"a": (), "b": ()}


def test_a_plan_with_several_locks_keeps_its_place_in_the_queue_of_each() -> None:
    line = ahead([run("a", 3, "x"), run("b", 5, "x", "y"), run("c", 9, "y")])
    assert line == {"a": (), "b": ("a",), "c": ("b",)}


def test_an_emergency_comes_before_all_others() -> None:
    line = ahead([run("a", 3, "x"), run("b", 5, "x", urgent=True), run("c", 9, "x", urgent=True)])
    assert line == {"b": (), "c": ("b",), "a": ("b", "c")}


@given(st.lists(st.tuples(st.sets(st.sampled_from("xyz"), min_size=1), st.booleans()), min_size=1, max_size=12))
def test_somebody_is_always_next_and_the_line_has_no_circle(plans: list[tuple[set[str], bool]]) -> None:
    left = [run(str(place), place, *locks, urgent=urgent) for place, (locks, urgent) in enumerate(plans)]
    while left:
        line = ahead(left)
        first = [one for one in left if not line[one.run]]
        assert first
        held = [lock for one in first for lock in one.locks]
        assert len(held) == len(set(held)), "those who are next never share a lock"
        left = [one for one in left if one not in first]
