"""What a cell asks a person before it runs: a confirmation, or the value of a parameter. Pure; it asks nobody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runner.ledger.bodies import QuestionKind
from runner.runbook.cells import Cell, Role

ASKING = frozenset({Role.CHANGE, Role.VERIFY})
"""Roles that may ask: what is rehearsed must show the same without an answer, and what undoes must not wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """One question. `parameter` is empty for a confirmation; `within` is how many seconds it waits for its answer."""

    kind: QuestionKind
    text: str
    parameter: str
    within: float


def asks(cell: Cell) -> Asks | None:
    """Say what a cell asks before it runs, if it does."""
    options = cell.options
    if options.confirm:
        return Asks(kind=QuestionKind.CONFIRM, text=options.confirm, parameter="", within=options.answer_within)
    if options.ask:
        text = options.prompt or f"Which value shall {options.ask} have?"
        return Asks(kind=QuestionKind.ASK, text=text, parameter=options.ask, within=options.answer_within)
    return None


def of(cells: Iterable[Cell]) -> tuple[tuple[Cell, Asks], ...]:
    """List every question of a runbook with the cell that it stands before."""
    found = ((cell, asks(cell)) for cell in cells if cell.role in ASKING)
    return tuple((cell, one) for cell, one in found if one is not None)
