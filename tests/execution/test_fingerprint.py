from __future__ import annotations

import json
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import RequestError
from runner.execution.fingerprint import LONGEST, NAMED, fingerprint, kept, moved, normaliser, text_of
from runner.runbook import options


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        (("timestamps",), "at 2026-11-23T02:30:28.123Z and 11:02:03", "at [time] and [time]"),
        (("uuids",), "id 123e4567-e89b-12d3-a456-426614174000.", "id [uuid]."),
        (("numbers",), "3 rows, -1.5e3 of v2", "[number] rows, [number] of v2"),
        (("addresses",), "<X at 0x7f00ab12>", "<X at [address]>"),
        (("s/pid \\d+/pid N/", "s/a\\/b/c/"), "pid 12 a/b", "pid N c"),
        ((), "\x1b[32mgreen\x1b[0m \r\n", "green"),
        ((), "/scratch/ipykernel_12/34567.py:3: UserWarning", "[cell]:3: UserWarning"),
    ],
)
def test_normalisers_take_out_what_differs_by_nature(options: tuple[str, ...], text: str, expected: str) -> None:
    assert normaliser(options)(text) == expected


@pytest.mark.parametrize("option", ["times", "s/(/x/", "s/a/\\9/", "s/a", "s//x/"])
def test_a_bad_normaliser_is_an_error(option: str) -> None:
    with pytest.raises(RequestError, match="normaliser"):
        normaliser((option,))


def test_the_names_that_a_cell_may_write_are_the_ones_that_are_carried_out() -> None:
    assert tuple(NAMED) == options.NORMALISERS


@given(st.text(max_size=20) | st.from_regex(r"s/[^/]{1,8}/[^/]{0,8}/", fullmatch=True))
def test_whatever_a_cells_options_accept_can_be_carried_out(option: str) -> None:
    with warnings.catch_warnings():
        # Python warns of expressions that it may read differently one day.
        warnings.simplefilter("ignore")
        try:
            (accepted,) = options.read(f"#| normalise: {json.dumps(option)}\n", cell=0).normalise
        except RequestError:
            return
        normaliser((accepted,))("a text 12 with\nlines")


def test_the_text_does_not_depend_on_how_messages_were_cut() -> None:
    def out(*parts: tuple[str, str]) -> list[object]:
        return [{"output_type": "stream", "name": name, "text": text} for name, text in parts]

    one = out(("stdout", "a"), ("stderr", "e"), ("stdout", "b"))
    other = out(("stderr", "e"), ("stdout", "ab"))
    assert text_of(one) == text_of(other) == "ab\ne"  # type: ignore[arg-type] # a list of JSON values


def test_every_mime_type_counts() -> None:
    def shown(html: str, image: str) -> str:
        data = {"text/plain": "<HTML object>", "text/html": html, "image/png": image, "application/json": {"a": 1}}
        return text_of([{"output_type": "display_data", "data": data, "metadata": {}}])  # type: ignore[dict-item] # JSON

    assert shown("<b>1</b>", "aaaa") != shown("<b>2</b>", "aaaa")
    assert shown("<b>1</b>", "aaaa") != shown("<b>1</b>", "bbbb")
    assert "aaaa" not in shown("<b>1</b>", "aaaa")


def test_a_long_text_is_kept_as_its_ends_and_still_tells_a_difference_in_the_middle() -> None:
    text = "x" * LONGEST * 2
    changed = text[:LONGEST] + "y" + text[LONGEST + 1 :]
    assert len(kept(text)) < LONGEST + 200
    assert kept(text) != kept(changed)
    assert kept("short") == "short"


def test_no_plan_cells_have_no_fingerprint() -> None:
    assert fingerprint({}) is None
    assert fingerprint({"a": "1"}) != fingerprint({"b": "1"})


def test_the_diff_names_the_cell_and_a_missing_one() -> None:
    assert moved({"a": "1\n2"}, {"a": "1\n2"}) == ""
    assert moved({"a": "1\n2"}, {"a": "1\n3"}).splitlines()[:2] == ["--- plan/a", "+++ run/a"]
    assert "missing" in moved({"a": ""}, {})
