"""Rules about steps, each with what it finds and what it leaves alone."""

from __future__ import annotations

import pytest

from runner.runbook import lint
from runner.runbook.rules_steps import RULES
from tests.runbook.notebooks import code, runbook
from tests.runbook.variants import Cells, change, instead, rules


def verify(source: str) -> Cells:
    return instead(7, code(source, "verify"))


FOUND: list[tuple[str, Cells]] = [
    ("R32", change('#| step: act\n#| when: region == "eu"\nx = 1')),
    ("R32", change('#| step: act\n#| when: ok("act")\nx = 1')),
    ("R32", [*change('#| when: ok("check")\nx = 1'), code("#| step: check\nassert 1", "verify")]),
    ("R32", verify('#| when: ok("nowhere")\nassert 1')),
    ("R32", verify("#| when: environment\nassert 1")),
    ("R32", verify("#| when: database < 3\nassert 1")),
    ("R33", verify("#| step: act\nassert 1")),
    ("R34", instead(1, code("#| retries: 1\n" + "environment = 'staging'\ndatabase = 'orders'", "parameters"))),
    ("R34", change("#| backoff: 3s\nx = 1")),
    ("R34", instead(2, code("#| when: 1 == 1\nx = 1", "setup"))),
    ("R34", instead(6, code('#| when: database == "orders"\nx = 1', "rollback"))),
    ("R34", instead(4, code("#| continue-on-failure: true\nprint(1)", "plan"))),
]
LEFT_ALONE: list[Cells] = [
    verify('#| when: ok("act") and environment == "staging" and recorded("rows") > 3\nassert 1'),
    [
        *instead(8, code('#| when: failed("act") or skipped("check")\nx = 1', "always")),
        code("#| step: check", "verify"),
    ],
    change("#| step: act\n#| retries: 3\n#| backoff: 3s\n#| continue-on-failure: true\nx = 1"),
    change("#| retries: 0\n#| continue-on-failure: false\nx = 1"),
]


@pytest.mark.parametrize(("rule", "cells"), FOUND, ids=[f"{rule}-{place}" for place, (rule, _) in enumerate(FOUND)])
def test_a_rule_finds_what_it_is_for_and_nothing_else_does(rule: str, cells: Cells) -> None:
    assert rules(cells) == {rule}


@pytest.mark.parametrize("cells", LEFT_ALONE)
def test_steps_as_they_should_be_are_left_alone(cells: Cells) -> None:
    assert rules(cells) == set()


def test_a_condition_says_what_it_asked_for_in_vain() -> None:
    found = lint.lint(runbook(verify('#| when: region == "eu" or ok("later")\nassert 1')))
    words = " ".join(finding.message for finding in found)
    assert "region is no parameter" in words
    assert "later is no earlier step" in words


def test_every_rule_here_has_a_test() -> None:
    assert {rule.id for rule in RULES} == {rule for rule, _ in FOUND}
