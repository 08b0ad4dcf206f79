"""The text of an issue that asks for a runbook."""

from __future__ import annotations

import pytest

from runner.digest import Json
from runner.request import strict_yaml
from runner.runbook import form
from tests.runbook.notebooks import HEADER, PARAMETERS, clean, code, raw, runbook


def block(text: str) -> dict[str, strict_yaml.Node]:
    inside = text.split("```runbook\n")[1].split("\n```", maxsplit=1)[0]
    return strict_yaml.mapping(inside, doing="reading the form")


def test_the_form_is_a_request_that_the_schema_accepts() -> None:
    cells = clean()
    cells[0] = raw(HEADER.replace("timeout", "examples: {hosts: [a, 'b: c'], n: '3'}\ntimeout"))
    cells[1] = code(PARAMETERS + "hosts: list[str]\nn: int  # how many\n", "parameters")
    made = runbook(cells)
    found = block(form.issue(made))
    assert found == {"runbook": "rotate", "parameters": {"hosts": ["a", "b: c"], "n": "3"}}
    assert made.parameters.values({"hosts": ["a", "b: c"], "n": "3"})["n"] == 3


def test_defaults_are_comments_that_can_be_taken_in() -> None:
    text = form.issue(runbook(clean()))
    assert block(text) == {"runbook": "rotate"}
    taken = block(text.replace("# parameters:", "parameters:").replace("#  ", "  "))
    assert taken == {"runbook": "rotate", "parameters": {"environment": "staging", "database": "orders"}}


@pytest.mark.parametrize("value", ["a", "a b", "yes: no", "# x", "", "-", "żółw", "x\ny", "'", '"'])
def test_text_is_written_so_that_it_reads_back(value: str) -> None:
    assert strict_yaml.load(f"x: {form.written(value)}  # told", doing="reading") == {"x": value}


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (None, "null"), (3, "3"), (1.5, "1.5"), ([1, "a b"], '[1, "a b"]')]
)
def test_other_values_are_written_as_a_request_writes_them(value: Json, text: str) -> None:
    assert form.written(value) == text
