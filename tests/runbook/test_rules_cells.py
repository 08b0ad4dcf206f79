"""Rules about cells, each with what it finds and what it leaves alone."""

from __future__ import annotations

import pytest

from runner.runbook.rules_cells import RULES
from tests.runbook.notebooks import HEADER, clean, code, raw, text
from tests.runbook.variants import Cells, change, instead, rules

FOUND: list[tuple[str, Cells]] = [
    ("R01", [*clean(), code("#| irreversible: it is only a test\nx = 1")]),
    ("R02", instead(2, code("x = 1", "setup") | {"outputs": [{"output_type": "stream"}]})),
    ("R02", instead(2, code("x = 1", "setup") | {"execution_count": 1})),
    ("R03", [*clean(), code("print(1)", "plan")]),
    ("R06", [clean()[0], code("x = 1", "setup"), *clean()[1:]]),
    ("R07", instead(6)),
    ("R07", instead(5, code("a = 1", "change"), code("b = 1", "change"))),
    ("R13", change("#| label: x\nx = 1")),
    ("R14", change("x = 1\n#| timeout: 3s")),
    ("R14", change("#| step: a\n%%bash\nls\n#| timeout: 3s")),
    ("R16", instead(7)),
    ("R17", instead(2, code("x = 1", "setup", "injected-parameters"))),
    ("R21", instead(5, code("x = 1", "change", "raises-exception"))),
    ("R26", [*clean()[:2], code("x = 1", "rollback"), *clean()[2:]]),
]
LEFT_ALONE: list[tuple[str, Cells]] = [
    ("R01", instead(2, code(""), code("x = 1", "setup"))),
    ("R03", [*clean()[:5], code("print(2)", "plan"), *clean()[5:]]),
    ("R06", [clean()[0], text("# About"), *clean()[1:]]),
    ("R07", [*clean()[:5], code("#| irreversible: sent mail is sent\nx = 1", "change"), *clean()[7:]]),
    ("R07", [raw(HEADER.replace("timeout", "irreversible: nothing brings it back\ntimeout")), *instead(6)[1:]]),
    ("R13", change("#| step: a\n#| timeout: 3s\nx = 1")),
    ("R14", change("%%bash\n#| step: a\nls")),
    ("R16", [*clean()[:5], clean()[7]]),
    ("R26", [*clean(), code("x = 2", "change"), code("x = 1", "rollback")]),
]


@pytest.mark.parametrize(("rule", "cells"), FOUND, ids=[f"{rule}-{place}" for place, (rule, _) in enumerate(FOUND)])
def test_a_rule_finds_what_it_is_for_and_nothing_else_does(rule: str, cells: Cells) -> None:
    assert rules(cells) == {rule}


@pytest.mark.parametrize(("rule", "cells"), LEFT_ALONE, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(LEFT_ALONE)])
def test_a_rule_leaves_what_is_right_alone(rule: str, cells: Cells) -> None:
    assert rule not in rules(cells)


def test_every_rule_here_has_a_test() -> None:
    assert {rule.id for rule in RULES} == {rule for rule, _ in FOUND}
