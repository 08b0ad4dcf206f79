"""Plain words told from code, quotes and HTML: any text is read, and every line comes at most once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.request.markdown import Fenced, Words, pieces

PARTS = (
    "```", "``````", "~~~", "`", "``", "\\`", "> ", ">>>\n", "    ", "\t", "<!--", "-->", "<pre>", "</pre>", "<div>",
    "</div>", "<?", "?>", "<![CDATA[", "]]>", "<!X", ">", "- ", "1. ", "\n", "\n\n", "\r", " ", "words", "runbook",
)  # fmt: skip
BODIES = st.text() | st.lists(st.sampled_from(PARTS)).map("".join)


def plain(body: str) -> list[str]:
    """The lines that are their author's own words beyond doubt."""
    return [piece.text for piece in pieces(body) if isinstance(piece, Words) and not piece.doubt]


def doubts(body: str) -> list[str]:
    return [piece.doubt for piece in pieces(body) if isinstance(piece, Words)]


def fences(body: str) -> list[Fenced]:
    return [piece for piece in pieces(body) if isinstance(piece, Fenced)]


@settings(max_examples=500)
@given(BODIES)
def test_any_text_is_read_and_no_line_comes_twice(body: str) -> None:
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    last = 0
    for piece in pieces(body):
        assert last < piece.number <= len(lines)
        last = piece.number
        if isinstance(piece, Words):
            assert piece.text == lines[piece.number - 1]
        else:
            inside = piece.text.split("\n")[:-1]
            assert [line.strip(" ") for line in inside] == [
                line.strip(" ") for line in lines[piece.number : piece.number + len(inside)]
            ]
            last += len(inside)


@given(st.lists(st.from_regex(r"[a-z][a-z ,.]{0,20}", fullmatch=True), min_size=1))
def test_plain_words_come_as_they_are(lines: list[str]) -> None:
    assert plain("\n".join(lines)) == lines
    assert plain("\r\n".join(lines)) == lines


@given(BODIES)
def test_what_is_fenced_is_kept_and_is_nobodys_words(inside: str) -> None:
    fence = "~" * (inside.count("~") + 3)
    (only,) = pieces(f"{fence} runbook\n{inside}\n{fence}")
    text = f"{inside}\n".replace("\r\n", "\n").replace("\r", "\n")
    assert only == Fenced(number=1, info="runbook", text=text, closed=True)


def test_a_fence_says_where_it_is_what_it_is_and_whether_it_was_closed() -> None:
    assert fences("words\n``` sh x\na\n  b\n```\n~~~\nc") == [
        Fenced(number=2, info="sh x", text="a\n  b\n", closed=True),
        Fenced(number=6, info="", text="c\n", closed=False),
    ]


def test_the_indent_of_a_fence_is_taken_off_its_lines() -> None:
    (fence,) = fences("  ```\n    a\n b\n  ```")
    assert fence.text == "  a\nb\n"


def test_a_fence_in_a_list_is_passed_over() -> None:
    assert fences("- ```\n  a\n  ```") == []
    assert plain("- ```\n  a\n  ```\nafter") == ["after"]


@pytest.mark.parametrize(
    "body",
    [
        "> words",
        "    words",
        "\twords",
        ">>>\nwords\n>>>",
        "<!--\nwords\n-->",
        "<pre>\nwords\n</pre>",
        "<!-- \n\nwords",
    ],
)
def test_quotes_code_and_comments_are_not_plain_words(body: str) -> None:
    assert "words" not in [line.strip() for line in plain(body)]


@pytest.mark.parametrize(
    ("body", "doubt"),
    [
        ("> a\nwords", "continues the quote"),
        ("`a\nwords\nb`", "inline code"),
        ("<div>\nwords\n</div>", "inside HTML"),
        ("words <!-- a\nb -->", "an HTML comment begins"),
        ("a <code>\nwords\n</code>", "may be inside HTML"),
    ],
)
def test_a_line_that_may_be_something_else_comes_with_the_reason(body: str, doubt: str) -> None:
    assert any(doubt in reason for reason in doubts(body))


def test_doubt_ends_with_its_paragraph() -> None:
    assert plain("> a\nb\n\nwords") == ["words"]
    assert plain("`a\nb`\n\nwords") == ["`a", "words"]
