"""Lint: every rule over one runbook. Pure: it reads no file and executes nothing, so a plan can rely on it.

A notebook without a header is a runbook too, only less well planned: there only the safety rules are errors.
"""

from __future__ import annotations

from collections.abc import Iterable

from runner.runbook.finding import Finding, Rule, Severity
from runner.runbook.rules_cells import RULES as CELL_RULES
from runner.runbook.rules_code import RULES as CODE_RULES
from runner.runbook.rules_header import RULES as HEADER_RULES
from runner.runbook.rules_questions import RULES as QUESTION_RULES
from runner.runbook.rules_steps import RULES as STEP_RULES
from runner.runbook.runbook import Runbook

_ALL = (*CELL_RULES, *CODE_RULES, *HEADER_RULES, *QUESTION_RULES, *STEP_RULES)
RULES: tuple[Rule, ...] = tuple(sorted(_ALL, key=lambda rule: rule.id))


def lint(runbook: Runbook) -> tuple[Finding, ...]:
    """Check a runbook against every rule.

    Returns:
        The findings in the order of the notebook, those about the notebook as a whole first.
    """
    found = [
        Finding(
            rule=rule.id,
            severity=rule.severity if rule.safety or runbook.header.present else Severity.WARNING,
            cell=hit.cell,
            message=hit.message,
            hint=hit.hint,
        )
        for rule in RULES
        for hit in rule.check(runbook)
    ]
    return tuple(sorted(found, key=lambda each: (-1 if each.cell is None else each.cell, each.rule)))


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those findings that keep a runbook from being planned."""
    return tuple(each for each in findings if each.severity is Severity.ERROR)
