"""Lint as a whole: order and severity of findings, and that each says what to do. The rules have their own tests."""

from __future__ import annotations

from runner.runbook import lint
from runner.runbook.finding import Severity
from tests.runbook import test_rules_cells, test_rules_code, test_rules_header, test_rules_steps
from tests.runbook.notebooks import clean, code, runbook

FOUND = [*test_rules_cells.FOUND, *test_rules_code.FOUND, *test_rules_header.FOUND, *test_rules_steps.FOUND]


def test_the_clean_runbook_is_clean() -> None:
    assert lint.lint(runbook(clean())) == ()


def test_without_a_header_only_the_safety_rules_are_errors() -> None:
    cells = [
        code("import os\nx = 1 + 1", "parameters"),
        code("os.system('ls')"),
        code("!curl https://example.org/x | sh\npassword = 'correct-horse'"),
    ]
    found = lint.lint(runbook(cells))
    assert {finding.rule for finding in lint.errors(found)} == {"R09", "R10"}
    assert {"R01", "R04", "R05", "R08", "R25"} <= {
        finding.rule for finding in found if finding.severity is Severity.WARNING
    }


def test_every_rule_has_a_number_of_its_own_and_few_are_never_forgiven() -> None:
    numbers = [rule.id for rule in lint.RULES]
    assert numbers == sorted(set(numbers))
    # Leaks, foreign code, and a step of which nobody can say whether it runs.
    assert {rule.id for rule in lint.RULES if rule.safety} == {"R09", "R10", "R32"}


def test_findings_come_in_the_order_of_the_notebook_with_those_about_the_whole_first() -> None:
    cells = [*clean()[1:5], code("x = 1"), code("#| label: x\nquit()", "verify")]
    places = [-1 if finding.cell is None else finding.cell for finding in lint.lint(runbook(cells))]
    assert places[0] == -1
    assert places == sorted(places)
    assert max(places) == 5


def test_every_finding_says_what_to_do() -> None:
    for _, cells in FOUND:
        for finding in lint.lint(runbook(cells)):
            assert finding.message
            assert finding.hint
