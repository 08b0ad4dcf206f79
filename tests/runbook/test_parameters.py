"""Values of a request, checked against the schema."""

from __future__ import annotations

import math

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.digest import Json
from runner.runbook.parameters import ParameterErrors, Schema, injected

SOURCE = """
from runner.toolkit import Annotated, Field, Literal, Optional
from datetime import date, datetime

environment: Literal["staging", "production"] = "staging"  # where
database: Annotated[str, Field(pattern=r"^[a-z_]+$", max_length=20)]  # which database
grace: Annotated[int, Field(ge=0, le=600)] = 30  # seconds
ratio: float = 0.5
force: bool = False
replicas: Literal[1, 2, 3] = 1
since: date = "2026-01-01"
at: Optional[datetime] = None
hosts: Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=3)] = ["a"]
labels: dict[str, int] = {}
_quiet = True
"""
SCHEMA = Schema.read(SOURCE)


def one(name: str, value: Json) -> Json:
    return SCHEMA.values({"database": "orders", name: value})[name]


def refused(raw: dict[str, Json]) -> ParameterErrors:
    with pytest.raises(ParameterErrors) as caught:
        SCHEMA.values(raw)
    return caught.value


def test_every_parameter_has_a_value_and_an_origin() -> None:
    values = SCHEMA.values({"database": "orders"})
    assert list(values) == [each.name for each in SCHEMA.parameters]
    assert (values.origin("database"), values.origin("grace")) == ("request", "default")
    assert values["_quiet"] is True


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("grace", "60", 60),
        ("grace", 60, 60),
        ("ratio", "1", 1.0),
        ("ratio", "-2.5e3", -2500.0),
        ("ratio", 2, 2.0),
        ("force", "true", True),
        ("force", False, False),
        ("replicas", "2", 2),
        ("replicas", 3, 3),
        ("environment", "production", "production"),
        ("since", "2026-11-23", "2026-11-23"),
        ("at", "2026-11-23T01:02:03+00:00", "2026-11-23T01:02:03+00:00"),
        ("at", "null", None),
        ("at", None, None),
        ("hosts", ["x", "y"], ["x", "y"]),
        ("labels", {"a": "1"}, {"a": 1}),
    ],
)
def test_text_becomes_what_the_type_says(name: str, text: Json, value: Json) -> None:
    found = one(name, text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grace", "012"),
        ("grace", "1.0"),
        ("grace", " 1"),
        ("grace", "+1"),
        ("grace", "1_0"),
        ("grace", "\u0661"),
        ("grace", "0x10"),
        ("grace", True),
        ("grace", 1.0),
        ("grace", "601"),
        ("grace", "-1"),
        ("grace", "9" * 40),
        ("grace", ["1"]),
        ("ratio", "nan"),
        ("ratio", "inf"),
        ("ratio", "1e999"),
        ("ratio", math.inf),
        ("force", "yes"),
        ("force", "True"),
        ("force", "1"),
        ("force", 1),
        ("replicas", "4"),
        ("replicas", "1.0"),
        ("replicas", True),
        ("environment", "prod"),
        ("environment", "STAGING"),
        ("database", "Orders"),
        ("database", "orders\n"),
        ("database", ""),
        ("database", "a" * 21),
        ("database", None),
        ("database", ["a"]),
        ("since", "20261123"),
        ("since", "2026-02-30"),
        ("at", "2026-11-23"),
        ("at", "tomorrow"),
        ("hosts", "a"),
        ("hosts", ["a", "b", "c", "d"]),
        ("hosts", [""]),
        ("hosts", [["a"]]),
        ("labels", {"a": "x"}),
        ("labels", ["a"]),
    ],
)
def test_what_the_type_does_not_accept_is_refused_by_name(name: str, value: Json) -> None:
    error = refused({"database": "orders", name: value})
    assert [problem.name for problem in error.problems] == [name]
    assert error.problems[0].expected
    assert error.exit_code == 2


def test_every_problem_is_told_at_once_with_what_would_be_accepted() -> None:
    error = refused({"databse": "x", "grace": "900", "environment": "prod", "force": "yes"})
    assert {problem.name for problem in error.problems} == {"'databse'", "database", "grace", "environment", "force"}
    text = str(error)
    for words in ("did you mean database?", "at most 600", "staging, production", "true or false", "^[a-z_]+$"):
        assert words in text


def test_values_are_shown_escaped_and_cut() -> None:
    (problem,) = refused({"database": "\u0440" * 500}).problems
    assert problem.value.isascii()
    assert len(problem.value) <= 60


@pytest.mark.parametrize("name", ["password", "db_passwd", "api_key", "token", "client_secret", "auth"])
def test_the_value_of_a_secret_is_never_repeated(name: str) -> None:
    with pytest.raises(ParameterErrors) as caught:
        Schema.read(f"{name}: int").values({name: "hunter2-hunter2"})
    assert "hunter2" not in str(caught.value)


def test_a_value_that_looks_like_a_secret_is_never_repeated_either() -> None:
    token = "glpat-" + "a1B2" * 6
    with pytest.raises(ParameterErrors) as caught:
        Schema.read("days: int").values({"days": token})
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "character",
    [
        "\u202e",
        "\u2066",
        "\u200b",
        "\ufeff",
        "\u200d",
        "\0",
        "\x1b",
        "\r",
        "\u0378",
        "\ud800",
        "\ue000",
        "\ufe0f",
        "\u3164",
    ],
)
def test_characters_that_hide_or_turn_text_are_refused_wherever_they_stand(character: str) -> None:
    schema = Schema.read("a: str = ''\nb: list[str] = ['x']\nc: dict[str, str] = {'x': 'y'}")
    for raw in ({"a": f"x{character}"}, {"b": [character]}, {"c": {character: "v"}}, {"c": {"k": character}}):
        with pytest.raises(ParameterErrors, match=r"U\+"):
            schema.values(raw)  # type: ignore[arg-type] # narrower than what is accepted


def test_plain_text_of_any_script_is_accepted() -> None:
    schema = Schema.read("a = ''")
    for value in ("żółw", "日本語", "שלום", "two\nlines\tand a tab", "🙂"):
        assert schema.values({"a": value})["a"] == value


def test_size_and_depth_have_limits() -> None:
    schema = Schema.read("a: list[str] = ['x']\nb = ''")
    nested: Json = "x"
    for _ in range(20):
        nested = [nested]
    for raw in ({"b": "x" * 9000}, {"a": ["x"] * 1001}, {"a": ["x" * 8000] * 9}, {"a": nested}):
        with pytest.raises(ParameterErrors):
            schema.values(raw)  # type: ignore[arg-type] # narrower than what is accepted


def test_examples_stand_in_only_for_required_values() -> None:
    values = SCHEMA.values({}, examples={"database": "demo", "grace": "1"})
    assert (values["database"], values.origin("database")) == ("demo", "example")
    assert values["grace"] == 30


def test_a_missing_value_is_told_apart() -> None:
    assert [problem.missing for problem in refused({"force": "x"}).problems] == [True, False]


def test_defaults_have_to_fit_their_own_bounds() -> None:
    with pytest.raises(ParameterErrors, match="x"):
        Schema.read("from runner.toolkit import Annotated, Field\nx: Annotated[int, Field(ge=5)] = 1").values({})


def test_the_json_schema_judges_like_we_do() -> None:
    schema = SCHEMA.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    assert judge.is_valid(SCHEMA.values({"database": "orders"}).plain())
    assert not judge.is_valid({"database": "Orders"})
    assert not judge.is_valid({"database": "orders", "more": 1})
    assert not judge.is_valid({})
    assert not judge.is_valid({"database": "orders", "grace": 601})
    assert isinstance(schema["properties"], dict)
    assert list(schema["properties"]) == [each.name for each in SCHEMA.parameters]


def test_the_table_says_what_a_request_may_write() -> None:
    rows = {row[0]: row[1:] for row in SCHEMA.rows()}
    assert rows["database"] == ("text, length at most 20, matching ^[a-z_]+$", "required", "which database")
    assert rows["force"] == ("true or false", "false", "")
    assert rows["grace"][1] == "30"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.text(max_size=20))
def test_no_undeclared_name_is_ever_accepted(name: str) -> None:
    declared = {each.name for each in SCHEMA.parameters}
    if name not in declared:
        with pytest.raises(ParameterErrors):
            SCHEMA.values({"database": "orders", name: "x"})


@given(st.dictionaries(st.sampled_from([each.name for each in SCHEMA.parameters]), JSON))
def test_whatever_is_accepted_fits_the_json_schema_and_can_be_injected(raw: dict[str, Json]) -> None:
    try:
        values = SCHEMA.values(raw)
    except ParameterErrors:
        return
    jsonschema.Draft202012Validator(SCHEMA.json_schema()).validate(values.plain())
    assert injected(values)
