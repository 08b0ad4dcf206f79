"""Every rule, with what it finds and what it leaves alone."""

from __future__ import annotations

import pytest

from runner.runbook import lint
from runner.runbook.finding import Severity
from tests.runbook.notebooks import HEADER, PARAMETERS, clean, code, raw, runbook, text

Cells = list[dict[str, object]]


def rules(cells: Cells, metadata: dict[str, object] | None = None) -> set[str]:
    return {finding.rule for finding in lint.lint(runbook(cells, metadata=metadata))}


def instead(place: int, *cells: dict[str, object]) -> Cells:
    """The clean runbook with one of its cells replaced."""
    found = clean()
    return [*found[:place], *cells, *found[place + 1 :]]


def header(old: str, new: str) -> Cells:
    assert old in HEADER
    return instead(0, raw(HEADER.replace(old, new)))


def parameters(source: str) -> Cells:
    return instead(1, code(PARAMETERS + source, "parameters"))


def change(source: str) -> Cells:
    return instead(5, code(source, "change"))


def test_the_clean_runbook_is_clean() -> None:
    assert lint.lint(runbook(clean())) == ()


FOUND: list[tuple[str, Cells]] = [
    ("R01", [*clean(), code("#| irreversible: it is only a test\nx = 1")]),
    ("R02", instead(2, code("x = 1", "setup") | {"outputs": [{"output_type": "stream"}]})),
    ("R02", instead(2, code("x = 1", "setup") | {"execution_count": 1})),
    ("R03", [*clean(), code("print(1)", "plan")]),
    ("R04", parameters("total = 2 * 3\n")),
    ("R05", parameters("print('x')\n")),
    ("R05", parameters("n: Any = 3\n")),
    ("R05", parameters("list = 3\n")),
    ("R06", [clean()[0], code("x = 1", "setup"), *clean()[1:]]),
    ("R07", instead(6)),
    ("R07", instead(5, code("a = 1", "change"), code("b = 1", "change"))),
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
    ("R11", header("{database}", "{databse}")),
    ("R11", header("timeout: 20m", "timeout: 20m\nexamples: {nope: 1}")),
    ("R11", header("timeout: 20m", "timeout: 20m\naccess: {write: ['{nope}']}")),
    ("R12", header("timeout: 20m\n", "")),
    ("R13", change("#| retries: 3\nx = 1")),
    ("R13", change("#| label: x\nx = 1")),
    ("R14", change("x = 1\n#| timeout: 3s")),
    ("R14", change("#| step: a\n%%bash\nls\n#| timeout: 3s")),
    ("R15", header("title: Rotate a password\n", "")),
    ("R15", header('owner: "@dba"\n', "")),
    ("R16", instead(7)),
    ("R17", instead(2, code("x = 1", "setup", "injected-parameters"))),
    ("R19", change("import subprocess\nsubprocess.run(['ls'])")),
    ("R20", change("database = 'other'")),
    ("R20", change("from x import database")),
    ("R21", instead(5, code("x = 1", "change", "raises-exception"))),
    ("R22", parameters("n: Annotated[int, Field(ge=5)] = 1\n")),
    ("R22", [raw(HEADER.replace("timeout: 20m", "timeout: 20m\nexamples: {n: x}")), *parameters("n: int\n")[1:]]),
    ("R23", parameters("n: int\n")),
    ("R24", change("secret('DB_PASSWORD')")),
    ("R25", header("risk: high\n", "")),
    ("R26", [*clean()[:2], code("x = 1", "rollback"), *clean()[2:]]),
    ("R27", change("import sys\nsys.exit(0)")),
    ("R27", change("quit()")),
    ("R28", change("x = input('sure?')")),
    ("R29", header('target: "{environment}/{database}"\n', "")),
    ("R30", parameters("db_password = ''\n")),
]


@pytest.mark.parametrize(("rule", "cells"), FOUND, ids=[f"{rule}-{place}" for place, (rule, _) in enumerate(FOUND)])
def test_a_rule_finds_what_it_is_for_and_nothing_else_does(rule: str, cells: Cells) -> None:
    assert rules(cells) == {rule}


LEFT_ALONE: list[tuple[str, Cells]] = [
    ("R01", instead(2, code(""), code("x = 1", "setup"))),
    ("R03", [*clean()[:5], code("print(2)", "plan"), *clean()[5:]]),
    ("R04", parameters("n = -3\n")),
    ("R06", [clean()[0], text("# About"), *clean()[1:]]),
    ("R07", [*clean()[:5], code("#| irreversible: sent mail is sent\nx = 1", "change"), *clean()[7:]]),
    ("R07", [raw(HEADER.replace("timeout", "irreversible: nothing brings it back\ntimeout")), *instead(6)[1:]]),
    ("R08", change("!ls -l\nout = !ls\n# os.system is bad")),
    ("R08", change("%%bash\nls")),
    ("R09", change("password = secret_store['x']\ntoken = 'https://{host}/token'\nhint = 'password: ask'")),
    ("R10", change("!curl -sO https://example.org/x.tar.gz\n!ls | sort")),
    ("R10", change("# curl https://example.org/x | sh")),
    ("R13", change("#| step: a\n#| timeout: 3s\nx = 1")),
    ("R14", change("%%bash\n#| step: a\nls")),
    ("R16", [*clean()[:5], clean()[7]]),
    ("R19", change("import subprocess\nsubprocess.run(['ls'], check=True)")),
    ("R20", change("def f():\n    database = 1\nother = database")),
    ("R23", [raw(HEADER.replace("timeout", "examples: {n: '1'}\ntimeout")), *parameters("n: int\n")[1:]]),
    ("R24", [raw(HEADER.replace("timeout", "secrets: {change: [A]}\ntimeout")), *change("secret('A')")[1:]]),
    ("R26", [*clean(), code("x = 2", "change"), code("x = 1", "rollback")]),
    ("R27", change("exit_code = 0\nprint('exit()')")),
    ("R28", change("user_input(3)\nform.input()")),
    ("R30", parameters("key_path = '/x'\ntoken_days = 3\n")),
]


@pytest.mark.parametrize(("rule", "cells"), LEFT_ALONE, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(LEFT_ALONE)])
def test_a_rule_leaves_what_is_right_alone(rule: str, cells: Cells) -> None:
    assert rule not in rules(cells)


def test_a_notebook_without_a_kernel_is_warned_about() -> None:
    assert rules(clean(), metadata={}) == {"R18"}
    assert "R18" not in rules(clean())


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


def test_every_rule_has_its_own_number_and_a_test() -> None:
    numbers = [rule.id for rule in lint.RULES]
    assert len(set(numbers)) == len(numbers) >= 15
    assert set(numbers) == {rule for rule, _ in FOUND} | {"R18"}
    assert {rule.id for rule in lint.RULES if rule.safety} == {"R09", "R10"}


def test_every_finding_says_what_to_do() -> None:
    for _, cells in FOUND:
        for finding in lint.lint(runbook(cells)):
            assert finding.message
            assert finding.hint
