"""Shapes: how a written value becomes a typed one, and how what is accepted is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from runner.digest import Json
from runner.runbook.shape import MAX_INT, MAX_ITEMS, Kind, Shape, annotation, text

INT, FLOAT, BOOL, STR = (Shape(kind=kind) for kind in (Kind.INT, Kind.FLOAT, Kind.BOOL, Kind.STR))
CHOICE = Shape(kind=Kind.LITERAL, choices=("a", 2, True))


@given(st.integers(-MAX_INT, MAX_INT))
def test_every_whole_number_comes_back_from_its_text(number: int) -> None:
    assert INT.typed(text(number)) == INT.typed(number) == number


@given(st.floats(-1e18, 1e18, allow_subnormal=False))
def test_every_number_comes_back_from_its_text(number: float) -> None:
    assert FLOAT.typed(text(number)) == FLOAT.typed(number) == number


@given(st.text())
def test_text_that_is_no_number_never_becomes_one(written: str) -> None:
    try:
        value = INT.typed(written)
    except ValueError:
        return
    assert text(int(str(value))) == written


@pytest.mark.parametrize("written", ["01", "+1", " 1", "1 ", "1_0", "-0", "0x1", "\u0661", "", "1.0", str(MAX_INT + 1)])
def test_a_whole_number_is_written_in_one_way(written: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        INT.typed(written)


@pytest.mark.parametrize("shape", [INT, FLOAT])
def test_a_bool_is_no_number_and_a_number_no_bool(shape: Shape) -> None:
    with pytest.raises(ValueError, match="number"):
        shape.typed(True)
    with pytest.raises(ValueError, match="true or false"):
        BOOL.typed(1)


@pytest.mark.parametrize(("raw", "value"), [("a", "a"), ("2", 2), (2, 2), ("true", True), (True, True)])
def test_a_choice_is_found_by_value_or_by_its_text(raw: Json, value: Json) -> None:
    found = CHOICE.typed(raw)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("raw", ["A", "True", 1, 2.0, "2.0", None, ["a"]])
def test_what_is_no_choice_is_refused(raw: Json) -> None:
    with pytest.raises(ValueError, match="one of"):
        CHOICE.typed(raw)


def test_the_same_number_as_bool_and_int_are_two_choices() -> None:
    shape = Shape(kind=Kind.LITERAL, choices=(1, True))
    assert shape.typed(True) is True
    assert shape.typed("1") == 1
    assert shape.typed("1") is not True


def test_items_are_typed_one_by_one_and_counted() -> None:
    numbers, named = Shape(kind=Kind.LIST, item=INT), Shape(kind=Kind.DICT, item=INT)
    assert numbers.typed(["1", 2]) == [1, 2]
    assert named.typed({"a": "1"}) == {"a": 1}
    for shape, raw in ((numbers, ["1", "x"]), (numbers, [1] * (MAX_ITEMS + 1)), (named, ["a"]), (numbers, "1")):
        with pytest.raises(ValueError, match=r"number|list|mapping"):
            shape.typed(raw)  # type: ignore[arg-type] # narrower than what is accepted


def test_null_is_a_value_only_where_it_may_be() -> None:
    optional = Shape(kind=Kind.INT, optional=True)
    assert optional.typed("null") is None
    assert optional.typed(None) is None
    assert STR.typed("null") == "null"
    with pytest.raises(ValueError, match="text"):
        STR.typed(None)


@pytest.mark.parametrize("raw", ["2026-11-31", "20261123", "2026-W48-1", "today", 20261123, "2026-11-23T00:00"])
def test_a_date_is_a_day_that_exists(raw: Json) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Shape(kind=Kind.DATE).typed(raw)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (Shape(kind=Kind.INT, bounds=(("ge", 1), ("lt", 9))), "a whole number, at least 1, less than 9"),
        (Shape(kind=Kind.STR, optional=True, bounds=(("pattern", "^a"),)), "text, matching ^a, or null"),
        (CHOICE, "one of: a, 2, true"),
        (Shape(kind=Kind.LIST, item=BOOL), "a list, each item true or false"),
    ],
)
def test_what_is_accepted_is_said_in_words(shape: Shape, words: str) -> None:
    assert shape.accepted() == words


@pytest.mark.parametrize(
    ("shape", "good", "bad"),
    [
        (Shape(kind=Kind.INT, bounds=(("ge", 1), ("multiple_of", 5))), 10, 7),
        (Shape(kind=Kind.STR, bounds=(("pattern", "^a+$"),)), "aa", "b"),
        (Shape(kind=Kind.LIST, item=INT, bounds=(("max_length", 1),)), [1], [1, 2]),
        (Shape(kind=Kind.DICT, item=CHOICE), {"k": 2}, {"k": 3}),
        (Shape(kind=Kind.INT, optional=True, bounds=(("ge", 1),)), None, 0),
    ],
)
def test_the_bounds_are_judged_by_the_type_that_is_built(shape: Shape, good: Json, bad: Json) -> None:
    judge: TypeAdapter[object] = TypeAdapter(annotation(shape))  # type: ignore[arg-type] # a type made at run time
    judge.validate_python(good)
    with pytest.raises(ValueError, match="validation error"):
        judge.validate_python(bad)
