"""Rules about questions: what nobody could be asked, or could not answer, is found before anything is planned."""

from __future__ import annotations

import pytest

from runner.runbook.rules_questions import RULES
from tests.runbook.notebooks import HEADER, clean, code, raw
from tests.runbook.variants import Cells, change, instead, parameters, rules

BATCH = "batch: int = 10  # how many at once\n"


def asking(lines: str, *, declared: str = BATCH, head: str = HEADER) -> Cells:
    cells = parameters(declared)
    return [raw(head), *cells[1:5], code(f"{lines}\nx = 1", "change"), *cells[6:]]


REQUIRED = HEADER.replace("timeout", "examples: {batch: 1}\ntimeout")
WRITING = HEADER[:-3] + 'access: {write: ["{folder}/x"]}\n---'
FOUND: list[tuple[str, Cells]] = [
    ("R40", instead(2, code("#| confirm: On?\nx = 1", "setup"))),
    ("R40", instead(3, code("#| confirm: On?\nnow = 1", "read"))),
    ("R40", instead(4, code("#| confirm: On?\nprint(1)", "plan"))),
    ("R40", instead(6, code("#| confirm: On?\nx = 1", "rollback"))),
    ("R40", instead(8, code("#| confirm: On?\nx = 1", "always"))),
    ("R41", asking("#| confirm: On?\n#| ask: batch")),
    ("R41", asking("#| confirm: On?\n#| prompt: How many?")),
    ("R41", asking("#| answer-within: 5m")),
    ("R42", asking("#| ask: other")),
    ("R42", asking("#| ask: batch", declared="batch: int  # how many\n", head=REQUIRED)),
    ("R42", asking("#| ask: database")),
    ("R42", asking("#| ask: folder", declared='folder: str = "/srv"  # where\n', head=WRITING)),
]
LEFT_ALONE: list[Cells] = [
    change("#| confirm: On?\n#| answer-within: 5m\nx = 1"),
    instead(7, code("#| confirm: Does it look right?\nassert now", "verify")),
    asking("#| ask: batch\n#| prompt: How many?\n#| answer-within: 5m"),
    clean(),
]


@pytest.mark.parametrize(("rule", "cells"), FOUND, ids=[f"{rule}-{place}" for place, (rule, _) in enumerate(FOUND)])
def test_a_rule_finds_what_it_is_for_and_nothing_else_does(rule: str, cells: Cells) -> None:
    assert rules(cells) == {rule}


@pytest.mark.parametrize("cells", LEFT_ALONE)
def test_what_can_be_asked_is_left_alone(cells: Cells) -> None:
    assert rules(cells) == set()


def test_the_rules_have_numbers_of_their_own() -> None:
    assert [rule.id for rule in RULES] == ["R40", "R41", "R42"]
