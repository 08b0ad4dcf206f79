from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.approval.glob import matches, matches_any


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("*", ""),
        ("*", "prod/eu/db"),
        ("prod/*", "prod/eu/db"),
        ("*/orders-db", "staging/orders-db"),
        ("a*b*c", "a-b-b-c"),
        ("disk-cleanup", "disk-cleanup"),
    ],
)
def test_a_star_stands_for_any_characters(pattern: str, text: str) -> None:
    assert matches(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("", "prod"),
        ("prod", "prod/db"),
        ("prod/*", "production/db"),
        ("prod/*", "Prod/db"),
        ("ab*ba", "aba"),
        ("a*b*c", "a-c-c"),
        ("pr?d", "prod"),
        ("[p]rod", "prod"),
        ("prod/*", "prod"),
    ],
)
def test_everything_else_is_literal_and_the_whole_text_has_to_fit(pattern: str, text: str) -> None:
    assert not matches(pattern, text)


def test_no_pattern_fits_nothing() -> None:
    assert not matches_any((), "prod/web-1")


@given(st.text(alphabet="ab*/"), st.text(alphabet="ab/"))
def test_it_agrees_with_the_standard_library_on_plain_stars(pattern: str, text: str) -> None:
    assert matches(pattern, text) == bool(re.fullmatch(fnmatch.translate(pattern), text))
