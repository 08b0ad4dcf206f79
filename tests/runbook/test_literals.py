"""The injected cell: what is written reads back, executes and means exactly the same, or it is not written."""

from __future__ import annotations

import json
import keyword
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.digest import Json
from runner.errors import RequestError
from runner.runbook.literals import injected, literal, read_back, same

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True).filter(lambda name: not keyword.iskeyword(name))


@given(st.dictionaries(NAMES, JSON, max_size=5))
def test_injected_source_reads_back_and_executes_to_exactly_the_values(values: dict[str, Json]) -> None:
    source = injected(values)
    assert source.isascii()
    assert len(source.splitlines()) == len(values) + 1
    assert same(read_back(source), values)
    space: dict[str, Json] = {}
    exec(compile(source, "injected", "exec"), {"__builtins__": {}}, space)  # noqa: S102 - what a kernel does with it
    assert json.dumps(space) == json.dumps(values)


@given(st.text())
def test_no_text_gets_out_of_its_quotes(text: str) -> None:
    written = literal(text)
    assert written.isascii()
    assert "\n" not in written
    assert read_back(f"x = {written}") == {"x": text}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, [math.nan], {"a": math.inf}])
def test_a_number_without_a_literal_is_refused(value: Json) -> None:
    with pytest.raises(RequestError, match="no literal"):
        injected({"x": value})


@pytest.mark.parametrize("name", ["X", "a b", "a=1;b", "if", "", "r\u0435start", "x\n", "1a", "a.b"])
def test_a_name_that_is_not_one_is_never_written(name: str) -> None:
    with pytest.raises(RequestError):
        injected({name: 1})


@pytest.mark.parametrize(
    "source",
    ["import os", "x = open('/etc/passwd')", "x = 1\nx = 2", "x: int = 1", "x = y = 1", "x += 1", "a, b = 1, 2", "x ="],
)
def test_nothing_but_one_literal_for_each_name_is_read_back(source: str) -> None:
    with pytest.raises(RequestError):
        read_back(source)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, True),
        (1, 1.0),
        (0, False),
        ([1], [True]),
        ({"a": 1}, {"a": 1.0}),
        ([1], [1, 1]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_values_of_different_types_or_order_are_not_the_same(left: Json, right: Json) -> None:
    assert same(left, left)
    assert not same(left, right)
    assert not same(right, left)
