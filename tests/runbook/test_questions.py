"""What cells ask, as plan and worker both read it."""

from __future__ import annotations

from runner.ledger.bodies import QuestionKind
from runner.runbook.questions import Asks, of
from tests.runbook.notebooks import code, runbook


def test_questions_are_listed_with_their_cells_in_order() -> None:
    cells = [
        code("batch: int = 1\nsize: int = 2", "parameters"),
        code("#| confirm: Drained?\n#| answer-within: 5m\nx = 1", "change", cell_id="first"),
        code("#| ask: batch\n#| prompt: How many?\nx = 1", "change", cell_id="second"),
        code("#| ask: size\nx = 1", "verify", cell_id="third"),
        code("#| confirm: Undo?\nx = 1", "rollback"),
        code("x = 1", "change"),
    ]
    found = {cell.id: asks for cell, asks in of(runbook(cells).cells)}
    assert found == {
        "first": Asks(kind=QuestionKind.CONFIRM, text="Drained?", parameter="", within=300.0),
        "second": Asks(kind=QuestionKind.ASK, text="How many?", parameter="batch", within=3600.0),
        "third": Asks(kind=QuestionKind.ASK, text="Which value shall size have?", parameter="size", within=3600.0),
    }
