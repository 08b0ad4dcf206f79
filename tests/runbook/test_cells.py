"""Cells and their roles."""

from __future__ import annotations

import json

import pytest

from runner.digest import Json
from runner.errors import RequestError
from runner.runbook import cells
from runner.runbook.cells import FORWARD, REHEARSED, Cell, Role
from tests.runbook.notebooks import code, notebook, raw, text


def read(*written: dict[str, object], minor: int = 5) -> tuple[Cell, ...]:
    found: dict[str, Json] = json.loads(notebook(written, minor=minor))
    return cells.read(found)


@pytest.mark.parametrize("role", list(Role))
def test_a_tag_gives_a_code_cell_its_role(role: Role) -> None:
    (cell,) = read(code("x = 1", "other", role.value))
    assert (cell.role, cell.declared) == (role, True)


def test_a_code_cell_without_a_role_counts_as_change() -> None:
    (cell,) = read(code("x = 1", "mine"))
    assert (cell.role, cell.declared, cell.tags) == (Role.CHANGE, False, ("mine",))


def test_text_cells_and_empty_code_cells_have_no_role() -> None:
    assert [cell.role for cell in read(raw(), text("# Hi"), code("  \n"), code("", "setup"))] == [
        None,
        None,
        None,
        Role.SETUP,
    ]


def test_two_roles_are_refused() -> None:
    with pytest.raises(RequestError, match=r"cell 2.*2 roles: read, change"):
        read(text("x"), code("x", "read", "change"))


def test_cells_of_older_formats_get_stable_ids() -> None:
    assert [cell.id for cell in read(raw(), code("x"), minor=4)] == ["cell-0", "cell-1"]
    assert read(raw(), code("x"), minor=4) == read(raw(), code("x"), minor=4)


def test_a_source_may_be_text_or_lines() -> None:
    (cell,) = read(code("x") | {"source": ["x = 1\n", "y = 2"]})
    assert cell.source == "x = 1\ny = 2"


def test_saved_outputs_are_counted() -> None:
    (cell,) = read(code("x") | {"outputs": [{}, {}], "execution_count": 3})
    assert (cell.outputs, cell.counted) == (2, True)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ({"cell_type": "heading", "source": ""}, "kind 'heading'"),
        ({"source": ""}, "kind None"),
        (code("x") | {"source": [1]}, "source is not text"),
        (code("x") | {"source": "a\0b"}, "source is not text"),
        (code("x") | {"source": "\ud800"}, "source is not text"),
        (code("x") | {"id": "no good"}, "id 'no good'"),
        (code("x") | {"id": 7}, "id 7"),
        (code("x") | {"metadata": {"tags": "change"}}, "tags"),
        (code("x") | {"metadata": {"tags": [1]}}, "tags"),
    ],
)
def test_a_cell_that_is_not_one_is_refused(cell: dict[str, object], words: str) -> None:
    with pytest.raises(RequestError, match="cell 1") as caught:
        read(cell)
    assert words in str(caught.value)
    assert caught.value.hint


def test_two_cells_with_one_id_are_refused() -> None:
    with pytest.raises(RequestError, match="cell 2: it has the id of cell 1"):
        read(code("x", cell_id="a"), code("y", cell_id="a"))


def test_every_bad_cell_is_told_at_once() -> None:
    with pytest.raises(RequestError) as caught:
        read(code("x", "read", "plan"), code("#| timeout: x"))
    assert "cell 1" in str(caught.value)
    assert "cell 2" in str(caught.value)


@pytest.mark.parametrize("written", [{}, {"cells": {}}, {"cells": [1]}])
def test_a_notebook_without_cells_is_refused(written: dict[str, Json]) -> None:
    with pytest.raises(RequestError):
        cells.read(written)


def test_a_cell_is_named_by_its_step_or_by_role_and_place() -> None:
    first, second = read(code("#| step: go\nx", "change"), code("x", "verify"))
    assert (first.name, second.name) == ("go", "verify (cell 2)")


def test_what_is_rehearsed_changes_nothing_and_is_run_again() -> None:
    assert REHEARSED < FORWARD
    assert Role.CHANGE not in REHEARSED
