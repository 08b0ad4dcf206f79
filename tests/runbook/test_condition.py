"""Conditions: what Python would answer to the same words, without Python ever being asked."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.digest import Json
from runner.runbook import condition
from runner.runbook.condition import Condition, Facts, UndecidableError

VALUES: Mapping[str, Json] = {
    "environment": "staging",
    "count": 3,
    "ratio": 0.5,
    "drain": True,
    "hosts": ["a", "b"],
    "limits": {"cpu": 2},
    "note": None,
}
FACTS = Facts(
    values=VALUES,
    ended={"check": "ok", "probe": "failed", "drain-node": "skipped", "later": "not_run"},
    records={"rows": 4, "name": "blue"},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('environment == "staging"', True),
        ('environment != "staging"', False),
        ('environment in ["staging", "production"]', True),
        ('"stag" in environment', True),
        ("count not in (1, 2, -3)", True),
        ("1 < count <= 3", True),
        ("1 < count < 3", False),
        ("ratio < count", True),
        ("drain", True),
        ("not drain", False),
        ("count == 3.0", True),
        ("drain == 1", False),
        ('"a" in hosts', True),
        ('"cpu" in limits and "ram" not in limits', True),
        ("note == None", True),
        ("note", False),
        ('ok("check")', True),
        ('failed("probe") or ok("probe")', True),
        ('skipped("drain-node")', True),
        ('ok("later") or failed("later") or skipped("later")', False),
        ('ok("nowhere") or failed("nowhere") or skipped("nowhere")', False),
        ('recorded("rows") > 3 and recorded("name") == "blue"', True),
        ('recorded("never") == None', True),
        ('not recorded("never")', True),
    ],
)
def test_a_condition_is_decided_by_what_is_known(*, text: str, expected: bool) -> None:
    assert condition.holds(condition.read(text), FACTS) is expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("environment", "text is neither yes nor no"),
        ("count", "a number is neither"),
        ("hosts or drain", "a list is neither"),
        ('count < "3"', "a number and text have no order"),
        ("drain < 2", "a yes or no and a number"),
        ('recorded("never") < 3', "nothing and a number"),
        ("3 in count", "cannot be in a number"),
        ('3 in "text"', "a number cannot be in text"),
        ("region == 1", "region is no parameter"),
    ],
)
def test_a_condition_without_an_answer_says_why(text: str, words: str) -> None:
    with pytest.raises(UndecidableError, match=words):
        condition.holds(condition.read(text), FACTS)


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "count ==", "count = 3", "a b", "import os", "\0",
        "count + 1 > 2", "hosts[0]", "environment.upper()", "f'{count}'", "b'a' == b'a'", "3j", "...",
        "open('/etc/passwd')", "__import__('os')", "ok(count)", "ok('a', 'b')", "ok(step='a')", "ok(*hosts)",
        "lambda: 1", "[x for x in hosts]", "(a := 1)", "count if drain else 1", "count is None",
        "-count", "+1 == 1", "~1", "{1: 2}", "{1}", "await drain", "[count]", "[*hosts]", "[[1]]",
        "(" * 300 + "drain" + ")" * 300, "not " * 200 + "drain", "drain" + " and drain" * 100,
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as|is none of these"):
        condition.read(text)


def test_what_is_not_known_yet_leaves_a_condition_open_unless_the_rest_decides_it() -> None:
    asked = Facts(values=VALUES, open=frozenset({"count"}))
    assert condition.holds(condition.read("count == 3"), asked) is None
    assert condition.holds(condition.read("count == 3 or drain"), asked) is True
    assert condition.holds(condition.read('ok("check") and not drain'), asked) is False


def test_a_condition_knows_what_it_asks_for() -> None:
    read = condition.read(' environment == "x" and (ok("a") or not failed("b")) and recorded("r") in hosts ')
    assert read.text.startswith("environment")
    assert read.names == {"environment", "hosts"}
    assert read.steps == {"a", "b"}
    assert read.records == {"r"}
    assert condition.missing(read, names=["hosts"], steps=["a"]) == (
        "environment is no parameter",
        "b is no earlier step",
    )
    assert condition.missing(read, names=["hosts", "environment"], steps=["a", "b", "c"]) == ()


LITERALS = st.one_of(
    st.integers(-5, 5), st.sampled_from([0.5, 2.0]), st.booleans(), st.none(), st.sampled_from(["a", "b", "ab", ""])
).map(repr)
LOOKUPS = st.sampled_from([*VALUES, 'recorded("rows")', 'recorded("name")', 'recorded("never")'])
TESTS = st.sampled_from(['ok("check")', 'failed("check")', 'skipped("drain-node")', "drain", "True", "False"])
OPERATORS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in"])
LISTS = st.lists(LITERALS, max_size=3).map(lambda items: f"[{', '.join(items)}]")
COMPARED = st.builds("{} {} {}".format, LITERALS | LOOKUPS, OPERATORS, LITERALS | LOOKUPS | LISTS)
CONDITIONS = st.recursive(
    TESTS | COMPARED,
    lambda inner: st.one_of(
        st.builds("not ({})".format, inner),
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
    ),
    max_leaves=6,
).filter(lambda text: len(text) <= condition.LONGEST)


def oracle(text: str) -> object:
    """What Python says to it, with the functions bound to the same facts."""
    ended, records = FACTS.ended or {}, FACTS.records or {}
    names = {
        **VALUES,
        "ok": lambda step: ended[step] == "ok",
        "failed": lambda step: ended[step] == "failed",
        "skipped": lambda step: ended[step] == "skipped",
        "recorded": records.get,
    }
    return eval(text, {"__builtins__": {}}, names)  # noqa: S307 - the very thing that the product does not do


def answer(read: Condition, facts: Facts) -> bool | None:
    try:
        return condition.holds(read, facts)
    except UndecidableError:
        return None


@given(CONDITIONS)
def test_an_answer_is_pythons_answer_except_that_no_number_is_a_yes_or_no(text: str) -> None:
    found = answer(condition.read(text), FACTS)
    numbers = any(word in text for word in ("True", "False", "drain"))
    if found is None or numbers:
        return
    assert found is bool(oracle(text))


@given(CONDITIONS)
def test_what_the_parameters_alone_decide_stays_so_when_all_is_known(text: str) -> None:
    read = condition.read(text)
    early = answer(read, Facts(values=VALUES))
    late = answer(read, FACTS)
    assert early is None or late is None or early is late


@given(st.text(max_size=60) | st.from_regex(r"[a-z_.()\[\]'\" =<>!0-9+\-*/{}:,]{1,60}", fullmatch=True))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    try:
        read = condition.read(text)
    except ValueError:
        return
    answer(read, FACTS)
