"""The facts of conditions: how each fate of an earlier step counts."""

from __future__ import annotations

import pytest

from runner.execution.facts import facts
from runner.execution.outcome import CellFate, Fate
from runner.runbook.condition import holds, read


def cell(name: str, fate: Fate, phase: str = "forward") -> CellFate:
    return CellFate(index=0, id=name, role="change", name=name, phase=phase, fate=fate)


@pytest.mark.parametrize(
    ("fate", "word"),
    [
        (Fate.OK, "ok"),
        (Fate.SKIPPED, "skipped"),
        (Fate.FAILED, "failed"),
        (Fate.TIMED_OUT, "failed"),
        (Fate.INTERRUPTED, "failed"),
        (Fate.UNKNOWN, "failed"),
        (Fate.NOT_RUN, ""),
        (Fate.RUNNING, ""),
    ],
)
def test_a_step_that_was_reached_is_ok_or_skipped_or_failed(fate: Fate, word: str) -> None:
    assert facts([cell("a", fate)], values={}, records={}).ended == {"a": word}


def test_a_parameter_that_is_asked_for_leaves_a_condition_open() -> None:
    found = facts([], values={"n": 1}, records={}, unknown=frozenset({"n"}))
    assert holds(read("n == 1"), found) is None


def test_what_is_done_to_undo_a_run_says_nothing_of_its_steps() -> None:
    found = facts(
        [cell("a", Fate.OK), cell("a", Fate.FAILED, "rollback"), cell("b", Fate.OK, "always")],
        values={"n": 1},
        records=None,
    )
    assert found.ended == {"a": "ok", "b": "ok"}
    assert (found.values, found.records) == ({"n": 1}, None)
