"""Rules about what is declared, each with what it finds and what it leaves alone."""

from __future__ import annotations

import pytest

from runner.runbook import reader
from runner.runbook.lint import lint
from runner.runbook.rules_header import RULES
from tests.runbook.notebooks import HEADER, clean, notebook, raw
from tests.runbook.variants import Cells, header, parameters, rules

FOUND: list[tuple[str, Cells]] = [
    ("R04", parameters("total = 2 * 3\n")),
    ("R05", parameters("print('x')\n")),
    ("R05", parameters("n: Any = 3\n")),
    ("R05", parameters("list = 3\n")),
    ("R11", header("{database}", "{databse}")),
    ("R11", header("timeout: 20m", "timeout: 20m\nexamples: {nope: 1}")),
    ("R11", header("timeout: 20m", "timeout: 20m\naccess: {write: ['{nope}']}")),
    ("R11", header("timeout: 20m", "timeout: 20m\naccess: {read: ['/srv/{nope}']}")),
    ("R12", header("timeout: 20m\n", "")),
    ("R15", header("title: Rotate a password\n", "")),
    ("R15", header('owner: "@dba"\n', "")),
    ("R22", parameters("n: Annotated[int, Field(ge=5)] = 1\n")),
    ("R22", [raw(HEADER.replace("timeout: 20m", "timeout: 20m\nexamples: {n: x}")), *parameters("n: int\n")[1:]]),
    ("R23", parameters("n: int\n")),
    ("R25", header("risk: high\n", "")),
    ("R29", header('target: "{environment}/{database}"\n', "")),
    ("R30", parameters("db_password = ''\n")),
    (
        "R35",
        [one for place, one in enumerate(header("timeout: 20m", "timeout: 20m\nproposes: a/*.yaml")) if place != 4],
    ),
    ("R31", header("timeout: 20m", "timeout: 20m\nenvironment: runbooks/environments/db.lock")),
]
LEFT_ALONE: list[tuple[str, Cells]] = [
    ("R04", parameters("n = -3\n")),
    ("R23", [raw(HEADER.replace("timeout", "examples: {n: '1'}\ntimeout")), *parameters("n: int\n")[1:]]),
    ("R30", parameters("key_path = '/x'\ntoken_days = 3\n")),
]


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        (b"ipykernel==7.4.0\n", []),
        (b"ipykernel==7.4.0\nrequests>=2\n", ["runbooks/db.lock, line 2: 'requests>=2' is not pinned"]),
        (b"requests==2.0\n", ["runbooks/db.lock, ipykernel is not in it"]),
    ],
)
def test_a_lock_file_is_read_beside_the_runbook_and_has_to_pin(lock: bytes, words: list[str]) -> None:
    content = notebook(header("timeout: 20m", "timeout: 20m\nenvironment: runbooks/db.lock"))
    files = {"runbooks/db.lock": lock}
    found = lint(reader.read(content, name="x", path="runbooks/x.ipynb", commit="", beside=files.get))
    assert [one.message.startswith(word) for one, word in zip(found, words, strict=True)] == [True] * len(words), found


@pytest.mark.parametrize(("rule", "cells"), FOUND, ids=[f"{rule}-{place}" for place, (rule, _) in enumerate(FOUND)])
def test_a_rule_finds_what_it_is_for_and_nothing_else_does(rule: str, cells: Cells) -> None:
    assert rules(cells) == {rule}


@pytest.mark.parametrize(("rule", "cells"), LEFT_ALONE, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(LEFT_ALONE)])
def test_a_rule_leaves_what_is_right_alone(rule: str, cells: Cells) -> None:
    assert rule not in rules(cells)


def test_a_notebook_without_a_kernel_is_warned_about() -> None:
    assert rules(clean(), metadata={}) == {"R18"}
    assert "R18" not in rules(clean())


def test_every_rule_here_has_a_test() -> None:
    assert {rule.id for rule in RULES} == {rule for rule, _ in FOUND} | {"R18"}
