"""The closed language of annotations: what means something, and that nothing else does."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.digest import Json
from runner.runbook.annotations import AnnotationError, inferred, understood
from runner.runbook.shape import Kind, Shape

EVERYTHING = frozenset({"Annotated", "Field", "Literal", "Optional", "date", "datetime"})
INT, STR = Shape(kind=Kind.INT), Shape(kind=Kind.STR)


def shape(text: str, imported: frozenset[str] = EVERYTHING) -> Shape:
    return understood(ast.parse(text, mode="eval").body, imported=imported)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int", INT),
        ("bool", Shape(kind=Kind.BOOL)),
        ("date", Shape(kind=Kind.DATE)),
        ("datetime", Shape(kind=Kind.DATETIME)),
        ("int | None", Shape(kind=Kind.INT, optional=True)),
        ("None | int", Shape(kind=Kind.INT, optional=True)),
        ("Optional[str]", Shape(kind=Kind.STR, optional=True)),
        ("list[list[int]]", Shape(kind=Kind.LIST, item=Shape(kind=Kind.LIST, item=INT))),
        ("dict[str, int | None]", Shape(kind=Kind.DICT, item=Shape(kind=Kind.INT, optional=True))),
        ("Literal['a', 2, True]", Shape(kind=Kind.LITERAL, choices=("a", 2, True))),
        ("Literal['only']", Shape(kind=Kind.LITERAL, choices=("only",))),
        ("Annotated[int, Field(le=9, ge=-1)]", Shape(kind=Kind.INT, bounds=(("ge", -1), ("le", 9)))),
        ("Annotated[int, Field(ge=1), Field(ge=2)]", Shape(kind=Kind.INT, bounds=(("ge", 2),))),
        ("Annotated[str, Field(description='words', max_length=3)]", Shape(kind=Kind.STR, bounds=(("max_length", 3),))),
        ("Annotated[list[str], Field(min_length=1)]", Shape(kind=Kind.LIST, item=STR, bounds=(("min_length", 1),))),
        ("Annotated[int, Field(ge=0)] | None", Shape(kind=Kind.INT, optional=True, bounds=(("ge", 0),))),
    ],
)
def test_what_is_known_is_understood(text: str, expected: Shape) -> None:
    assert shape(text) == expected


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Any", "the type Any is not known"),
        ("typing.List", "not known"),
        ("tuple[int]", "not known"),
        ("dict[int, str]", "not known"),
        ("int | str", "not known"),
        ("'int'", "not known"),
        ("__import__('os')", "not known"),
        ("list[open('/etc/passwd')]", "not known"),
        ("Literal[1.5]", "not text, a whole number or a bool"),
        ("Literal[None]", "not text"),
        ("Literal[x]", "not a literal"),
        ("Literal['1', 1]", "written the same"),
        ("Literal['true', True]", "written the same"),
        ("Literal[()]", "without any choice"),
        ("Annotated[int]", "not known"),
        ("Annotated[int, 5]", "not a Field"),
        ("Annotated[int, Field(5)]", "not a Field"),
        ("Annotated[int, Field(**{'ge': 1})]", "does not fit"),
        ("Annotated[int, Field(pattern='x')]", "pattern does not fit the type int"),
        ("Annotated[str, Field(ge=1)]", "ge does not fit the type str"),
        ("Annotated[bool, Field(ge=1)]", "does not fit"),
        ("Annotated[int, Field(ge=True)]", "not a number"),
        ("Annotated[int, Field(ge='1')]", "not a number"),
        ("Annotated[int, Field(ge=limit())]", "not a literal"),
        ("Annotated[str, Field(max_length=-1)]", "not a length"),
        ("Annotated[str, Field(max_length=1.5)]", "not a length"),
        ("Annotated[int, Field(multiple_of=0)]", "more than 0"),
        ("Annotated[str, Field(pattern='(')]", "cannot be|can be checked"),
        ("Annotated[str, Field(pattern='(?=x)')]", "look-around"),
        (r"Annotated[str, Field(pattern=r'(a)\1')]", "can be checked"),
        ("Annotated[str, Field(pattern=3)]", "not text"),
    ],
)
def test_everything_else_is_refused_in_words(text: str, wrong: str) -> None:
    with pytest.raises(AnnotationError, match=wrong):
        shape(text)


@pytest.mark.parametrize("text", ["Literal['a']", "Optional[int]", "Annotated[int, Field(ge=1)]", "date", "datetime"])
def test_a_word_that_was_not_imported_would_fail_in_the_kernel(text: str) -> None:
    with pytest.raises(AnnotationError, match="without its import"):
        shape(text, frozenset())


def test_field_needs_its_import_beside_that_of_annotated() -> None:
    with pytest.raises(AnnotationError, match="Field is used without"):
        shape("Annotated[int, Field(ge=1)]", frozenset({"Annotated"}))


def test_what_is_refused_is_shown_escaped_and_cut() -> None:
    with pytest.raises(AnnotationError) as caught:
        shape("list['\\u202e" + "x" * 500 + "']")
    assert str(caught.value).isascii()
    assert len(str(caught.value)) < 100


PARTS = ["int", "str", "None", " | ", "list[", "dict[str, ", "Literal[", "Annotated[", "]", ", ", "Field(ge=1)", "'a'", "2", "-", "(", ")"]  # fmt: skip  # noqa: E501 - one alphabet


@given(st.text(max_size=30) | st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_any_expression_is_understood_or_refused(text: str) -> None:
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return
    try:
        assert isinstance(understood(node, imported=EVERYTHING), Shape)
    except AnnotationError as error:
        assert str(error)  # noqa: PT017 - either way is right; a reason has to be there


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, Shape(kind=Kind.BOOL)),
        (3, INT),
        (3.0, Shape(kind=Kind.FLOAT)),
        ("x", STR),
        ([1, 2], Shape(kind=Kind.LIST, item=INT)),
        ({"a": ["x"]}, Shape(kind=Kind.DICT, item=Shape(kind=Kind.LIST, item=STR))),
    ],
)
def test_a_plain_literal_says_its_own_type(value: Json, expected: Shape) -> None:
    assert inferred(value) == expected


@pytest.mark.parametrize("value", [None, [], {}, [1, "a"], [1, True], {"a": 1, "b": 1.0}, [None]])
def test_a_literal_that_leaves_the_type_open_has_to_be_annotated(value: Json) -> None:
    with pytest.raises(AnnotationError, match="annotate it"):
        inferred(value)
