"""What a plan knows of conditions before anything ran."""

from __future__ import annotations

import pytest

from runner.errors import RequestError
from runner.plan.conditional import conditional
from runner.plan.plan import Conditional
from runner.runbook.runbook import Runbook
from tests.runbook.notebooks import clean, code, runbook

PARAMETERS = """drain: bool = False
note: str | None = None
"""


def book(*conditions: str) -> Runbook:
    found = clean()
    checks = [code(f"#| step: s{number}\n#| when: {when}\nx = 1", "verify") for number, when in enumerate(conditions)]
    return runbook([found[0], code(PARAMETERS, "parameters"), *found[2:], *checks])


def test_only_what_no_step_can_change_is_decided() -> None:
    found = conditional(book("drain", "not drain", 'drain and ok("act")', 'ok("act")'), {"drain": False, "note": None})
    assert [one.runs for one in found] == [False, True, False, None]
    assert found[0] == Conditional(cell="c9", name="s0", when="drain", runs=False)


def test_values_for_which_a_condition_has_no_answer_are_refused_with_the_step() -> None:
    with pytest.raises(
        RequestError, match=r"the condition of s0 \(note < 3\) has no answer: text and a number"
    ) as caught:
        conditional(book("note < 3"), {"drain": False, "note": "later"})
    assert caught.value.hint
