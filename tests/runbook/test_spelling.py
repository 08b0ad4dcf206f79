"""What text may be made of, and how refused text is shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.digest import Json
from runner.runbook.spelling import MAX_DEPTH, MAX_TEXT, looks_secret, shown, unwritable


@given(
    st.characters(categories=["Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"], exclude_characters="\n\t"), st.text(max_size=5)
)
def test_a_character_that_nobody_sees_is_refused_wherever_it_stands(character: str, around: str) -> None:
    for value in (around + character, [character], {"a": [around, character]}, {character: 1}):
        assert "U+" in unwritable(value)  # type: ignore[arg-type] # narrower than what is accepted


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_text_of_any_script_is_accepted_unless_it_shows_nothing(text: str) -> None:
    wrong = unwritable(text)
    named = [one for one in text if f"U+{ord(one):04X}," in wrong]
    assert not wrong or all("FILLER" in unicodedata.name(one) for one in named)


@pytest.mark.parametrize("character", ["\u115f", "\u1160", "\u3164", "\uffa0", "\u034f", "\ufe0f", "\U000e0100"])
def test_letters_and_marks_that_show_nothing_are_refused(character: str) -> None:
    assert f"U+{ord(character):04X}" in unwritable(f"a{character}b")


def test_lines_and_tabs_are_text_and_other_types_are_not_looked_at() -> None:
    values: list[Json] = ["two\nlines\tand", True, 7, 1.5, None, [], {}]
    assert [unwritable(value) for value in values] == [""] * len(values)


def test_length_and_depth_have_limits() -> None:
    assert unwritable("x" * MAX_TEXT) == ""
    assert f"at most {MAX_TEXT}" in unwritable("x" * (MAX_TEXT + 1))
    nested: Json = "x"
    for _ in range(MAX_DEPTH):
        nested = [nested]
    assert unwritable(nested) == ""
    assert "nested deeper" in unwritable([nested])


@pytest.mark.parametrize("name", ["password", "db_passwd", "TOKEN", "api_key", "apikey", "pw", "auth", "client_secret"])
def test_a_name_that_sounds_secret_is_one(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["key_path", "token_days", "secret_name", "monkey", "author", "keys"])
def test_a_name_about_a_secret_or_with_one_in_it_is_none(name: str) -> None:
    assert not looks_secret(name)


@given(st.text() | st.integers() | st.lists(st.text()))
def test_what_is_shown_is_one_short_plain_line(value: object) -> None:
    text = shown(value)
    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= 60
