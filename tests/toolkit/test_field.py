"""`Field`: it keeps its bounds, and the bounds that it takes are those that the runner understands."""

from __future__ import annotations

import ast

import pytest

from runner.runbook.annotations import understood
from runner.toolkit.field import Field


def test_a_field_keeps_its_bounds_and_knows_their_names() -> None:
    assert repr(Field(ge=1)) == "Field(ge=1)"
    with pytest.raises(TypeError, match="knows no default"):
        Field(default=3)


@pytest.mark.parametrize(
    ("kind", "bound", "value"),
    [
        ("int", "ge", 1), ("int", "gt", 1), ("float", "le", 1.5), ("float", "lt", 2), ("int", "multiple_of", 5),
        ("str", "min_length", 1), ("list[int]", "max_length", 3), ("str", "pattern", "^a"), ("str", "description", "x"),
    ],
)  # fmt: skip
def test_every_bound_that_a_field_takes_is_one_that_the_runner_reads(kind: str, bound: str, value: float | str) -> None:
    assert Field(**{bound: value}).bounds == {bound: value}
    node = ast.parse(f"Annotated[{kind}, Field({bound}={value!r})]", mode="eval").body
    found = understood(node, imported=frozenset({"Annotated", "Field"}))
    assert found.bounds == (() if bound == "description" else ((bound, value),))
