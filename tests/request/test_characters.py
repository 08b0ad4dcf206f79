"""Characters that hide, and how what people wrote is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.request.characters import NAME, escaped, hidden, shown, skeleton


@pytest.mark.parametrize("one", ["\u200b", "\u202e", "\u2066", "\ufeff", "\x00", "\x1b", "\u2028", "\ue000", "\U000e0041", "\u3164", "\u00ad", "\u0378"])  # fmt: skip  # noqa: E501 - one list
def test_what_cannot_be_seen_is_named(one: str) -> None:
    assert hidden(f"a{one}b").startswith(f"U+{ord(one):04X}")
    assert one not in shown(f"a{one}b")


@pytest.mark.parametrize("text", ["plain", "Zürich", "日本語", "naïve \u2013 \u201cquoted\u201d", "10 €", "🚀"])
def test_text_in_any_language_is_fine(text: str) -> None:
    assert hidden(text) == ""
    assert shown(text) == text


def test_lines_are_fine_only_where_they_are_allowed() -> None:
    assert hidden("a\nb")
    assert not hidden("a\nb", allow="\n\t")


@pytest.mark.parametrize("name", ["../x", "/x", "x/", "x//y", "a/../b", ".x", "x y", "\u0435", "", "x" * 129])
def test_a_name_is_plain_segments(name: str) -> None:
    assert not NAME.fullmatch(name)


def test_look_alikes_have_the_same_skeleton() -> None:
    assert skeleton("\uff0frunb\u043eo\u200bk") == "/runbook"


@given(st.text())
def test_what_is_shown_between_back_ticks_cannot_end_them(text: str) -> None:
    assert all(" " <= one <= "~" and one != "`" for one in escaped(text))
