from __future__ import annotations

import base64
import html
import json
import re
import shlex
import urllib.parse
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import OperatorError
from runner.execution.redact import Masker

VALUE = 'S3cr&t "it\'s"/+é0x'
LINES = "-----BEGIN THING-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASC\n-----END THING-----"


def b64(before: int, text: str = VALUE, *, urlsafe: bool = False) -> str:
    data = b"<" * before + text.encode() + b">>"
    return (base64.urlsafe_b64encode if urlsafe else base64.b64encode)(data).decode()


FORMS: dict[str, Callable[[], str]] = {
    "raw": lambda: VALUE,
    "reversed": lambda: VALUE[::-1],
    "url": lambda: urllib.parse.quote(VALUE),
    "url with slashes": lambda: urllib.parse.quote(VALUE, safe=""),
    "url with plus": lambda: urllib.parse.quote_plus(VALUE),
    "url in lower case": lambda: re.sub(r"%..", lambda m: m.group().lower(), urllib.parse.quote(VALUE, safe="")),
    "url of every byte": lambda: "".join(f"%{byte:02x}" for byte in VALUE.encode()),
    "base64 at the start": lambda: b64(0),
    "base64 one further": lambda: b64(1),
    "base64 two further": lambda: b64(2),
    "base64 for urls": lambda: b64(1, urlsafe=True),
    "base64 wrapped": lambda: "\n".join(b64(0)[n : n + 7] for n in range(0, 40, 7)),
    "base64 of UTF-16": lambda: base64.b64encode(VALUE.encode("utf-16-le")).decode(),
    "hex": lambda: VALUE.encode().hex(),
    "upper hex": lambda: VALUE.encode().hex().upper(),
    "hex with colons": lambda: VALUE.encode().hex(":"),
    "hex dump": lambda: VALUE.encode().hex(" ", 2),
    "JSON": lambda: json.dumps(VALUE),
    "JSON twice": lambda: json.dumps(json.dumps(VALUE)),
    "JSON with letters": lambda: json.dumps(VALUE, ensure_ascii=False),
    "shell": lambda: shlex.quote(VALUE),
    "shell with backslashes": lambda: "".join(c if c.isalnum() else "\\" + c for c in VALUE),
    "Python": lambda: repr(VALUE),
    "Python bytes": lambda: repr(VALUE.encode()),
    "HTML": lambda: html.escape(VALUE),
    "a list of characters": lambda: repr(list(VALUE)),
    "one character a line": lambda: "\n".join(VALUE),
    "coloured": lambda: "".join(f"\x1b[3{n % 8}m{c}\x1b[0m" for n, c in enumerate(VALUE)),
    "with zero-width spaces": lambda: "\u200b".join(VALUE),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_value_is_masked_in_every_form(form: str) -> None:
    written = FORMS[form]()
    masked = Masker({"PW": VALUE}).mask(f"before {written} after", where="here")
    assert "[redacted:PW]" in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert Masker({"PW": VALUE}).found(masked) == frozenset()
    # No stretch of six characters of what was written is left.
    inner = masked.replace("[redacted:PW]", "").removeprefix("before ").removesuffix(" after")
    assert len(inner) <= 4 or not any(written[n : n + 6] in inner for n in range(len(written) - 6))


@pytest.mark.parametrize(
    "written",
    [
        LINES,
        "\n".join(reversed(LINES.splitlines())),
        "only kiG9w0BAQEFAASC of it",
        base64.b64encode(b"x MIIEvQIBADANBgkqh y").decode(),
        LINES.replace("\n", "\\n"),
        LINES.replace("\n", " "),
    ],
)
def test_a_key_of_several_lines_is_masked_whole_or_line_by_line(written: str) -> None:
    masked = Masker({"KEY": LINES}).mask(written, where="here")
    assert "MIIEv" not in masked
    assert "kiG9w" not in masked
    assert "[redacted:KEY]" in masked


def test_a_value_split_over_parts_leaves_a_mask_where_it_began() -> None:
    masker = Masker({"PW": VALUE})
    assert masker.parts(["a ", VALUE[:3], VALUE[3:9], VALUE[9:] + " z"], where="x") == ["a ", "[redacted:PW]", "", " z"]
    assert [(one.rule, one.count, one.where) for one in masker.redactions()] == [("PW", 1, ("x",))]


def test_a_json_value_is_masked_in_keys_lists_and_over_them() -> None:
    masked = Masker({"PW": VALUE}).value({VALUE: [VALUE[:5], VALUE[5:], 7, None]}, where="x")
    assert masked == {"[redacted:PW]": ["[redacted:PW]", "", 7, None]}


def test_the_longer_of_two_values_that_contain_each_other_wins() -> None:
    masker = Masker({"SHORT": "horse-battery", "LONG": "correct-horse-battery-staple"})
    assert masker.mask("correct-horse-battery-staple horse-battery", where="x") == "[redacted:LONG] [redacted:SHORT]"


def test_ordinary_text_is_left_alone() -> None:
    text = "3 rows changed\n\x1b[32mok\x1b[0m\tdone é"
    assert Masker({"PW": VALUE}).mask(text, where="x") == text
    assert Masker({}).mask(text, where="x") == text


@pytest.mark.parametrize("hidden", ["\x08", "\x00", "\u200b", "\x1b[1m"])
def test_a_value_that_holds_what_a_terminal_does_not_show_is_masked(hidden: str) -> None:
    value = f"abc{hidden}defg"
    assert Masker({"PW": value}).mask(f"<{value}>", where="x") == "<[redacted:PW]>"


def test_a_value_is_masked_though_its_first_letter_ends_a_control_sequence() -> None:
    assert "A-0000b" not in Masker({"PW": "A-0000b"}).mask("\x1bA-0000b", where="x")


def test_a_short_value_is_refused_without_saying_it() -> None:
    with pytest.raises(OperatorError, match="shorter than 6") as caught:
        Masker({"PW": "12345"})
    assert "12345" not in str(caught.value)


@pytest.mark.parametrize("data", [b"\xff\x00" + VALUE.encode(), b"\xff" + b64(2).encode()])
def test_binary_data_with_a_value_in_it_is_left_out(data: bytes) -> None:
    masker = Masker({"PW": VALUE})
    assert masker.left_out(data, where="x")
    assert not masker.left_out(b"\xff\x00nothing", where="x")


@given(
    value=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=6, max_size=30),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
def test_however_it_is_cut_the_value_is_gone(value: str, cuts: list[int]) -> None:
    text = f"start {value} end {value}"
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    parts = [text[a:b] for a, b in pairwise(edges)]
    masked = Masker({"X": value}).parts(parts, where="x")
    assert len(masked) == len(parts)
    assert value not in "".join(masked).replace("[redacted:X]", "\n")
