"""Tables as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.toolkit.table import table


def test_a_table_is_text() -> None:
    assert str(table([{"a": 1, "b": "x\ny"}, {"a": 22}])) == "a   b\n--  ---\n1   x y\n22"
    assert str(table([])) == "(none)"
    assert str(table([(1, 2)], columns=["x", "y"])) == "x  y\n-  -\n1  2"


def test_columns_choose_and_order_what_is_shown() -> None:
    assert str(table([{"a": 1, "b": 2}, {"b": 3}], columns=["b", "a"])) == "b  a\n-  -\n2  1\n3"


def test_rows_without_names_stand_in_columns_too() -> None:
    assert str(table([("a", 1), ("bcd", 22)])) == "a    1\nbcd  22"


def test_it_shows_itself_without_quotes() -> None:
    shown = table([{"a": 1}])
    assert repr(shown) == str(shown)


def test_a_long_value_is_cut() -> None:
    (line,) = table([("x" * 100,)]).splitlines()
    assert line == "x" * 57 + "..."


@given(st.lists(st.lists(st.text() | st.integers(), min_size=1, max_size=3), max_size=5))
def test_any_rows_are_one_line_each(rows: list[list[object]]) -> None:
    assert len(table(rows).split("\n")) == max(len(rows), 1)


@pytest.mark.parametrize("rows", [[[]], [{}], [[], [1]]])
def test_a_row_with_nothing_in_it_is_an_empty_line(rows: list[list[object]]) -> None:
    assert len(table(rows).split("\n")) == len(rows)
