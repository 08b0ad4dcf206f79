from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from runner.publication.markdown import code, excerpt, fence, link, picture, shown

HOSTILE = st.text(
    alphabet=st.one_of(st.sampled_from("`~@#!/<>-|\\[]()*_&:\n\r\t "), st.characters(codec="utf-8")), max_size=200
)
QUICK_ACTIONS = Path(__file__).parents[3] / "shared" / "gitlab" / "quick_actions.json"


def tokens(markdown: str) -> list[Token]:
    """Every token of a text, as an independent Markdown parser sees it."""
    found = MarkdownIt("commonmark").parse(markdown)
    return [inner for token in found for inner in (token, *(token.children or ()))]


def effective(markdown: str) -> str:
    """All text that is neither in a code span nor in a code block."""
    return "".join(token.content for token in tokens(markdown) if token.type in {"text", "html_block", "html_inline"})


@given(HOSTILE)
def test_a_code_span_is_one_code_span_and_nothing_else(text: str) -> None:
    kinds = [token.type for token in tokens(f"Said {code(text)} there")]
    assert kinds.count("code_inline") == (1 if shown(text.strip()).strip() else 0)
    assert effective(f"Said {code(text)} there").replace("(empty)", "") in {"Said  there", "Said "}


@given(HOSTILE, st.integers(0, 100))
def test_a_fence_is_one_fence_and_nothing_of_it_is_outside(text: str, limit: int) -> None:
    found = tokens(f"Before\n\n{fence(text, limit)}\n\nAfter")
    assert sum(token.type == "fence" for token in found) <= 1
    outside = effective(f"{fence(text, limit)}").replace("(empty)", "")
    assert re.fullmatch(r"(The last [0-9,]+ characters are left out here; the executed notebook has them.)?", outside)
    assert "After" in [token.content for token in found if token.type == "text"]


@given(HOSTILE, st.integers(1, 100))
def test_an_excerpt_is_one_fence_and_says_truly_how_many_lines_are_left_out(text: str, limit: int) -> None:
    block = excerpt(text, limit)
    fences = [token for token in tokens(f"Before\n\n{block}\n\nAfter") if token.type == "fence"]
    assert len(fences) <= 1
    outside = effective(block).replace("(empty)", "")
    said = re.fullmatch(r"(?:(\d+) more lines? in the notebook\.)?", outside)
    cut = re.fullmatch(r"The rest of this line(?: and (\d+) more lines?)? in the notebook\.", outside)
    assert said or cut
    lines = len(text.strip("\n").replace("\r\n", "\n").split("\n"))
    there = len(fences[0].content.removesuffix("\n").split("\n")) if fences else 1
    found = said or cut
    left_out = int(found[1] or 0) if found else 0
    assert lines == there + left_out
    assert not re.search(r"^[/`](?!``)", "\n".join(block.split("\n")[1:]), re.MULTILINE)


def test_an_excerpt_ends_with_a_whole_line() -> None:
    assert excerpt("one\ntwo\nthree", 9) == "```\none\ntwo\n```\n\n1 more line in the notebook."
    assert excerpt("one\ntwo\nthree", 13) == "```\none\ntwo\nthree\n```"
    assert (
        excerpt("x" * 50 + "\ny\nz", 4) == "```\nxxxx\n```\n\nThe rest of this line and 2 more lines in the notebook."
    )


def test_only_an_address_is_a_picture() -> None:
    assert picture("/uploads/0a/p.png", "a plot") == "![a plot](/uploads/0a/p.png)"
    for wrong in ("", "/uploads/x) @all", "/x.png\n/close", "javascript:alert(1) x"):
        assert not picture(wrong, "a plot").startswith("!")


@given(HOSTILE)
def test_a_fence_shows_what_it_was_given(text: str) -> None:
    fences = [token for token in tokens(fence(text, 10_000)) if token.type == "fence"]
    content = "".join(token.content for token in fences)
    assert re.sub(r"^ (?=[/`])", "", content, flags=re.MULTILINE).rstrip("\n") == shown(text.rstrip("\n")).rstrip("\n")


@given(HOSTILE)
def test_no_line_of_a_fence_but_its_own_ends_begins_with_a_slash_or_a_backtick(text: str) -> None:
    block = fence(text, 10_000)
    inner = block.split("\n")[1:-1] if block.startswith("```") else []
    assert not [line for line in inner if line.startswith(("/", "`"))]


def test_no_quick_action_of_the_forge_begins_a_line() -> None:
    if not QUICK_ACTIONS.exists():
        pytest.skip("machine: the list of quick actions lies in the shared folder, which is not here")
    names = json.loads(QUICK_ACTIONS.read_text())["names"]
    block: str = fence("\n".join(f"/{name} @everybody" for name in names) + "\n```\n/close\n", 100_000)
    block += "\n\n" + code("\n".join(f"/{name}" for name in names), 100_000)
    assert len(names) > 50
    for name in names:
        assert not re.search(rf"^/{name}\b", block, re.MULTILINE | re.IGNORECASE)


def test_a_longer_run_of_backticks_cannot_end_a_fence() -> None:
    assert fence("a\n`````\nb", 100) == "``````\na\n `````\nb\n``````"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb", "a\\u200bb"),
        ("a\ufeffb", "a\\ufeffb"),
        ("a\x00b\x08", "a\\x00b\\x08"),
        ("a\u2028b", "a\\u2028b"),
        ("a\u3164b", "a\\u3164b"),
        ("a\U000e0041b", "a\\U000e0041b"),
        ("a\rb", "a\\x0db"),
        ("a\r\nb\tc", "a\nb\tc"),
        ("\x1b[31mred\x1b[0m\x1b]8;;x", "red\\x1b]8;;x"),
        ("Zürich 東京 🙂", "Zürich 東京 🙂"),
    ],
)
def test_what_hides_is_shown(text: str, says: str) -> None:
    assert shown(text) == says


def test_long_texts_are_cut_and_it_is_said() -> None:
    assert code("x" * 300) == f"`{'x' * 199}\u2026`"
    assert "The last 1,500 characters are left out here" in fence("x" * 2000, 500)
    assert "left out" not in fence("x" * 500, 500)


def test_nothing_hides_behind_what_does_not_show() -> None:
    assert code(" " * 5000 + "rm -rf /") == "`rm -rf /`"
    assert code("\x1b[0m" * 5000 + "rm -rf /") == "`\u2026`"


def test_an_empty_text_is_said_to_be_empty() -> None:
    assert code("  ") == fence("\n", 10) == "*(empty)*"


def test_a_plain_address_is_a_link_and_anything_else_is_code() -> None:
    assert link("https://git.example.org/ops/-/blob/abc/outputs/x.ipynb#L1") == (
        "<https://git.example.org/ops/-/blob/abc/outputs/x.ipynb#L1>"
    )
    assert link("git show abc:outputs/x.ipynb") == "`git show abc:outputs/x.ipynb`"
    assert link("https://evil.example/> <img src=x>") == "`https://evil.example/> <img src=x>`"
    assert link("javascript:alert(1)") == "`javascript:alert(1)`"
