"""The authoring guide has a heading for everything that an author can write."""

from __future__ import annotations

import re
from pathlib import Path

from runner.runbook import declaration, header, lint, options
from runner.runbook.cells import Role
from runner.runbook.shape import Kind

TEXT = (Path(__file__).parents[2] / "runbooks" / "README.md").read_text()


def headings(section: str) -> list[str]:
    inside = re.split(r"^## ", TEXT, flags=re.MULTILINE)
    (found,) = [part for part in inside if part.startswith(section + "\n")]
    return re.findall(r"^### (.+)$", found, flags=re.MULTILINE)


def test_every_key_of_the_header_has_a_heading() -> None:
    assert headings("The header") == list(header.KEYS)


def test_every_role_has_a_heading() -> None:
    assert headings("Roles") == [role.value for role in Role]


def test_every_option_has_a_heading_and_planned_ones_are_named() -> None:
    assert headings("Options") == list(options.CARRIED_OUT)
    assert all(f"`{name}`" in TEXT for name in (*options.PLANNED, *options.NORMALISERS))


def test_every_type_of_parameter_has_a_heading() -> None:
    assert set(headings("Parameters")) == {kind.value for kind in Kind} | {"Optional", "Annotated"}


def test_every_rule_has_a_heading_with_its_severity() -> None:
    assert headings("Lint") == [f"{rule.id}: {rule.title}" for rule in lint.RULES]
    for rule in lint.RULES:
        assert f"### {rule.id}: {rule.title}\n{rule.severity.value.capitalize()}. " in TEXT


def test_the_example_of_parameters_is_understood() -> None:
    (source,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    parameters, problems = declaration.read(source)
    assert problems == ()
    assert len(parameters) == 3
