"""The notebook that `runbook new` writes."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from runner.errors import RequestError
from runner.runbook import lint, reader, scaffold
from runner.runbook.cells import Role

nbformat: Any = importlib.import_module("nbformat")  # its types are partial


def test_it_has_one_cell_of_each_role_and_is_lint_clean() -> None:
    found = reader.read(scaffold.new("db/rotate-password"), name="db/rotate-password", path="", commit="")
    assert [cell.role for cell in found.cells if cell.role] == [
        Role.PARAMETERS,
        Role.SETUP,
        Role.READ,
        Role.PLAN,
        Role.CHANGE,
        Role.ROLLBACK,
        Role.VERIFY,
        Role.ALWAYS,
    ]
    assert found.header.title == "Rotate password"
    assert lint.lint(found) == ()


def test_jupyter_would_save_it_just_so() -> None:
    content = scaffold.new("rotate").decode()
    notebook = nbformat.reads(content, as_version=4)
    nbformat.validate(notebook)
    assert nbformat.writes(notebook) + "\n" == content


@pytest.mark.parametrize("name", ["../x", "/x", "x.ipynb", "", "a b", "\u0440otate", "a//b", "x" * 200, "-x"])
def test_a_name_that_no_runbook_can_have_is_refused(name: str) -> None:
    with pytest.raises(RequestError):
        scaffold.new(name)
