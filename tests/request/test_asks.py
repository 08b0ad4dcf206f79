"""Everything in a comment that asks for something, in one numbering."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.request.asks import LARGEST_BODY, MOST, Block, Line, TooMuch, asks
from tests.builders import a_comment


def found(body: str) -> tuple[Line | Block, ...]:
    result = asks(a_comment(body), bot="runner")
    assert isinstance(result, tuple)
    return result


def refused(body: str) -> TooMuch:
    result = asks(a_comment(body), bot="runner")
    assert isinstance(result, TooMuch)
    return result


def test_lines_and_blocks_share_one_numbering_and_keep_their_places() -> None:
    body = "Hello\n\n/runbook status\n```runbook\nrunbook: x\n```\n@runner  help me \n"
    assert found(body) == (
        Line(ordinal=1, line=3, words="status"),
        Block(ordinal=2, line=5, text="runbook: x\n"),
        Line(ordinal=3, line=7, words="help me"),
    )


@pytest.mark.parametrize("body", ["words", "/runbooks x", "see /runbook x", "```yaml\nrunbook: x\n```", ""])
def test_what_only_looks_alike_from_afar_asks_for_nothing(body: str) -> None:
    assert found(body) == ()


@pytest.mark.parametrize(
    ("body", "doubt"),
    [
        (" /runbook status", "indented"),
        ("> a\n/runbook status", "quote"),
        ("/runb\u043eok status", "other characters"),
        ("\u200b@runner status", "other characters"),
        ("```runbook\nrunbook: x", "not closed"),
        ("<div>\n```runbook\nrunbook: x\n```\n</div>", "HTML"),
    ],
)
def test_an_ask_in_doubt_comes_with_the_reason(body: str, doubt: str) -> None:
    (only,) = found(body)
    assert doubt in only.doubt


def test_an_edited_comment_and_our_own_ask_for_nothing() -> None:
    comment = a_comment("/runbook status")
    assert asks(replace(comment, edited=True), bot="runner") == ()
    assert asks(replace(comment, ours=True), bot="runner") == ()


def test_with_too_many_asks_none_counts() -> None:
    assert len(found("/runbook status\n" * MOST)) == MOST
    assert str(MOST) in refused("/runbook status\n" * (MOST + 1)).why


def test_a_body_over_the_limit_is_refused_unread() -> None:
    assert found("/runbook status\n" + "x" * (LARGEST_BODY - 16))
    assert "characters" in refused("/runbook status\n" + "x" * (LARGEST_BODY - 15)).why


PARTS = ["/runbook ", "@runner ", "```runbook\n", "```\n", "> ", "\n", "\n\n", "status", "`", "<div>", " ", "\u200b"]


@given(st.text() | st.lists(st.sampled_from(PARTS)).map("".join))
def test_any_text_has_asks_numbered_from_one_without_gaps_in_the_order_of_the_text(body: str) -> None:
    result = asks(a_comment(body), bot="runner")
    if isinstance(result, tuple):
        assert [one.ordinal for one in result] == list(range(1, len(result) + 1))
        assert [one.line for one in result] == sorted({one.line for one in result})
