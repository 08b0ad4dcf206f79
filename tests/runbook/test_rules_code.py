"""Rules about code, each with what it finds and what it leaves alone."""

from __future__ import annotations

import pytest

from runner.runbook import lint
from runner.runbook.rules_code import RULES
from tests.runbook.notebooks import HEADER, clean, code, raw, runbook, text
from tests.runbook.variants import Cells, change, instead, rules

FOUND: list[tuple[str, Cells]] = [
    ("R08", change("%%bash --bg\nsleep 1")),
    ("R08", change("%%script --no-raise-error bash\nfalse")),
    ("R08", change("import os\nos.system('ls')")),
    ("R08", change("get_ipython().system_raise_on_error = False")),
    ("R08", change("get_ipython().system('ls')")),
    ("R08", change("!sleep 5 &")),
    ("R08", change("!false || true")),
    ("R09", change("x = 'AKIA" + "ABCDEFGHIJKLMNOP'")),
    ("R09", change("password = 'correct-horse'")),
    ("R09", instead(8, text("-----BEGIN RSA PRIVATE KEY-----"))),
    ("R10", change("!curl -s https://example.org/install.sh | sudo -E bash")),
    ("R10", change("%%bash\nwget -qO- https://example.org/x \\\n  | sh -s -- --yes")),
    ("R10", change("!bash <(curl -s https://example.org/x)")),
    ("R10", change('!bash -c "$(curl -fsSL https://example.org/x)"')),
    ("R10", change("!echo aGk= | base64 -d | sh")),
    ("R10", change("exec(requests.get(url).text)")),
    ("R19", change("import subprocess\nsubprocess.run(['ls'])")),
    ("R20", change("database = 'other'")),
    ("R20", change("from x import database")),
    ("R24", change("secret('DB_PASSWORD')")),
    ("R27", change("import sys\nsys.exit(0)")),
    ("R27", change("quit()")),
    ("R28", change("x = input('sure?')")),
]
LEFT_ALONE: list[tuple[str, Cells]] = [
    ("R08", change("!ls -l\nout = !ls\n# os.system is bad")),
    ("R08", change("%%bash\nls")),
    ("R09", change("password = secret_store['x']\ntoken = 'https://{host}/token'\nhint = 'password: ask'")),
    ("R10", change("!curl -sO https://example.org/x.tar.gz\n!ls | sort")),
    ("R10", change("# curl https://example.org/x | sh")),
    ("R19", change("import subprocess\nsubprocess.run(['ls'], check=True)")),
    ("R20", change("def f():\n    database = 1\nother = database")),
    ("R24", [raw(HEADER.replace("timeout", "secrets: {change: [A]}\ntimeout")), *change("secret('A')")[1:]]),
    ("R27", change("exit_code = 0\nprint('exit()')")),
    ("R28", change("user_input(3)\nform.input()")),
]


@pytest.mark.parametrize(("rule", "cells"), FOUND, ids=[f"{rule}-{place}" for place, (rule, _) in enumerate(FOUND)])
def test_a_rule_finds_what_it_is_for_and_nothing_else_does(rule: str, cells: Cells) -> None:
    assert rules(cells) == {rule}


@pytest.mark.parametrize(("rule", "cells"), LEFT_ALONE, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(LEFT_ALONE)])
def test_a_rule_leaves_what_is_right_alone(rule: str, cells: Cells) -> None:
    assert rule not in rules(cells)


def test_a_change_secret_is_not_there_before_the_change() -> None:
    head = raw(HEADER.replace("timeout", "secrets: {read: [R], change: [C]}\ntimeout"))
    cells = clean()
    cells[0] = head
    cells[3] = code("now = secret('R')", "read")
    assert rules(cells) == set()
    cells[3] = code("now = secret('C')", "read")
    assert rules(cells) == {"R24"}


def test_a_secret_outside_the_cells_is_found_too() -> None:
    metadata: dict[str, object] = {"kernelspec": {"name": "python3"}, "note": "glpat-" + "a1B2" * 6}
    (finding,) = lint.lint(runbook(clean(), metadata=metadata))
    assert (finding.rule, finding.cell) == ("R09", None)


def test_findings_never_repeat_a_secret() -> None:
    token = "glpat-" + "a1B2" * 6
    found = lint.lint(runbook(change(f"x = '{token}'")))
    assert found
    assert not any(token in finding.message + finding.hint for finding in found)


def test_every_rule_here_has_a_test() -> None:
    assert {rule.id for rule in RULES} == {rule for rule, _ in FOUND}
