from __future__ import annotations

import json

import pytest

from runner.execution import phases
from runner.execution.order import Mode
from runner.execution.outcome import Fate
from runner.ledger.bodies import Rollback
from runner.runbook.cells import Cell, read

from .conftest import notebook


def cells(*roles: str) -> tuple[Cell, ...]:
    return read(json.loads(notebook(*((role, f"{role or 'x'} = 1") for role in roles))))


def test_a_run_goes_forward_and_a_rehearsal_stops_short_of_changing() -> None:
    book = cells("parameters", "setup", "read", "plan", "change", "rollback", "verify", "always", "")
    assert [step.id for step in phases.forward(book, mode=Mode.RUN)] == ["c1", "c2", "c3", "c4", "c6", "c8"]
    rehearsal = phases.forward(book, mode=Mode.REHEARSE)
    assert [step.id for step in rehearsal] == ["c1", "c2", "c3"]
    assert phases.before_change(phases.forward(book, mode=Mode.RUN)) == 3
    assert phases.before_change(rehearsal) == 3
    assert [step.id for step in phases.always(book)] == ["c7"]


def test_the_parameters_are_set_right_after_they_are_declared() -> None:
    assert [step.id for step in phases.prelude(cells("setup", "parameters"), injected="x = 1")] == [
        "c1",
        "injected-parameters",
    ]
    assert [step.index for step in phases.prelude(cells("setup"), injected="x = 1")] == [-1]
    assert phases.prelude(cells("setup"), injected="") == ()


def test_empty_and_switched_off_cells_are_never_steps() -> None:
    book = read(json.loads(notebook(("change", "  \n"), ("change,skip-execution", "x = 1"))))
    assert phases.forward(book, mode=Mode.RUN) == ()


def test_undoing_goes_from_the_last_begun_change_to_the_first() -> None:
    book = cells("change", "rollback", "change", "change", "rollback", "rollback")
    undo = phases.undoing(book, [0, 2, 3])
    assert [[step.id for step in steps] for steps in undo] == [["c4", "c5"], [], ["c1"]]
    assert [[step.id for step in steps] for steps in phases.undoing(book, [0])] == [["c1"]]


@pytest.mark.parametrize(
    ("roles", "begun", "fates", "expected"),
    [
        (("change", "rollback"), [], {}, Rollback.NOT_NEEDED),
        (("change",), [0], {}, Rollback.NOT_POSSIBLE),
        (("change", "rollback"), [0], {"c1": Fate.OK}, Rollback.COMPLETE),
        (("change", "rollback"), [0], {"c1": Fate.FAILED}, Rollback.FAILED),
        (("change", "rollback"), [0], {}, Rollback.FAILED),
        (("change", "change", "rollback"), [0, 1], {"c2": Fate.OK}, Rollback.PARTIAL),
        (("change", "rollback", "change", "rollback"), [0, 2], {"c3": Fate.OK, "c1": Fate.FAILED}, Rollback.PARTIAL),
    ],
)
def test_what_became_of_the_undoing_is_said_truly(
    *, roles: tuple[str, ...], begun: list[int], fates: dict[str, Fate], expected: Rollback
) -> None:
    assert phases.judged(phases.undoing(cells(*roles), begun), fates) is expected
