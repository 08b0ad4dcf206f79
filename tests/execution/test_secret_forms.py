"""Every form of a value is found by the masking, whatever stands around it."""

from __future__ import annotations

import base64
import json
import shlex
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.execution.redact import LEAST, Masker
from runner.execution.secret_forms import forms

VALUES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=LEAST, max_size=30)


@given(VALUES)
def test_every_form_is_masked(value: str) -> None:
    masker = Masker({"PW": value})
    for form in forms(value):
        assert masker.found(form) == {"PW"}
        assert "[redacted:PW]" in masker.mask(f"before\n{form}\nafter", where="x")


@given(VALUES, st.binary(max_size=5), st.binary(max_size=5))
def test_base64_holds_one_of_the_forms_whatever_is_encoded_with_it(value: str, before: bytes, after: bytes) -> None:
    whole = before + value.encode() + after
    for written in (base64.b64encode(whole), base64.urlsafe_b64encode(whole)):
        assert any(form in written.decode() for form in forms(value))


@given(VALUES)
def test_the_usual_ways_to_write_it_are_among_the_forms(value: str) -> None:
    known = forms(value)
    written = {
        value,
        value[::-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        urllib.parse.quote(value, safe=""),
        urllib.parse.quote_plus(value),
        value.encode().hex(),
        value.encode().hex(":").upper(),
    }
    assert written <= known
    assert any(form in shlex.quote(value) for form in known)


@given(VALUES)
def test_no_form_is_so_short_that_it_would_mask_ordinary_words(value: str) -> None:
    assert all(len(form) >= 5 for form in forms(value))


def test_the_lines_of_a_key_are_secrets_and_its_frame_is_not() -> None:
    key = "-----BEGIN THING-----\n  MIIEvQIBADAN\nshort\n-----END THING-----"
    known = forms(key)
    assert "MIIEvQIBADAN" in known
    assert "short" not in known
    assert "-----BEGIN THING-----" not in known
    assert "\n".join(reversed(key.splitlines())) in known


@pytest.mark.parametrize("value", ["  padded value ", "padded value\n"])
def test_a_value_is_found_without_the_blanks_around_it(value: str) -> None:
    assert {value, "padded value"} <= forms(value)


def test_half_a_character_does_not_stop_it() -> None:
    assert "abcdef\ud800" in forms("abcdef\ud800")
