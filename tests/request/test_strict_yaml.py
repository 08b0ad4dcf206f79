"""The strict subset of YAML."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.request import strict_yaml
from runner.request.strict_yaml import MAX_BYTES, YamlError, load, mapping

DOING = "reading a test"


def test_every_scalar_stays_the_text_that_was_written() -> None:
    text = "a: no\nb: 012\nc: 1:30\nd: 2026-11-23\ne: null\nf: 1e3\ng: ~\nh: 'x'\ni:\nj: on\n"
    assert load(text, doing=DOING) == {
        "a": "no",
        "b": "012",
        "c": "1:30",
        "d": "2026-11-23",
        "e": "null",
        "f": "1e3",
        "g": "~",
        "h": "x",
        "i": "",
        "j": "on",
    }


def test_lists_and_mappings_nest() -> None:
    assert load("a: [1, {b: 2}]\nc:\n- x\n- y: z\n", doing=DOING) == {"a": ["1", {"b": "2"}], "c": ["x", {"y": "z"}]}


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("a: &x 1\n", "anchor", 1),
        ("a: 1\nb: *x\n", "alias", 2),
        ("a: !!python/object:os.system x\n", "tag", 1),
        ("a: !local x\n", "tag", 1),
        ("a: ! x\n", "tag", 1),
        ("a: 1\nb: 2\na: 3\n", "twice", 3),
        ("a: 1\n---\nb: 2\n", "second document", 2),
        ("%YAML 1.1\n---\na: 1\n", "directive", 1),
        ('a: "\\ud83d"\n', "half a character", 1),
        ("? [a]\n: 1\n", "key", 1),
        ("a: [[[[[[[[[1]]]]]]]]]\n", "deeper", 1),
        ("a: 1\n b: 2\n", "", 2),
        ("a: [1\n", "", 2),
        ("a: 1\n\tb: 2\n", "", 2),
        ("a: \x07\n", "", 1),
    ],
)
def test_everything_outside_the_subset_is_refused_with_its_line(text: str, words: str, line: int) -> None:
    with pytest.raises(YamlError) as caught:
        load(text, doing=DOING)
    assert caught.value.line == line
    assert words in caught.value.wrong
    assert caught.value.hint


def test_an_alias_bomb_is_refused_at_its_first_anchor() -> None:
    lines = ["a: &a [x, x]"] + [
        f"{name}: &{name} [*{before}, *{before}]" for before, name in zip("abcdef", "bcdefg", strict=True)
    ]
    with pytest.raises(YamlError, match="anchor"):
        load("\n".join(lines), doing=DOING)


def test_a_merge_key_is_a_key_like_any_other() -> None:
    assert load("<<: {a: 1}\nb: 2\n", doing=DOING) == {"<<": {"a": "1"}, "b": "2"}


def test_more_than_the_limit_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(YamlError, match="too much"):
        load("a: " + "x" * MAX_BYTES, doing=DOING)
    with pytest.raises(YamlError, match="too much"):
        load("a: " + "é" * (MAX_BYTES // 2), doing=DOING)


def test_the_line_counts_from_where_the_reader_looks() -> None:
    with pytest.raises(YamlError, match="line 11"):
        load("a: 1\na: 2\n", doing=DOING, first_line=10)


def test_a_mapping_is_asked_for_by_name() -> None:
    assert mapping("", doing=DOING) == {}
    assert mapping("# only a comment\n", doing=DOING) == {}
    with pytest.raises(YamlError, match="key: value"):
        mapping("- a\n", doing=DOING)
    with pytest.raises(YamlError, match="key: value"):
        mapping("a", doing=DOING)


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=30)


@given(st.dictionaries(WORDS, WORDS, max_size=5))
def test_quoted_texts_read_back_to_themselves(value: dict[str, str]) -> None:
    assert load(json.dumps(value, ensure_ascii=False), doing=DOING) == (value or {})


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    refused = ""
    try:
        node = load(text, doing=DOING)
    except YamlError as error:
        refused = error.wrong
    else:
        assert strict_yaml.as_json(node) == node
    assert refused.isascii()
    assert "\n" not in refused
