"""What one file of an issue says, and what is never written into one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.adapters.forge.local_entry import (
    LARGEST_BODY,
    LARGEST_TITLE,
    MOST_LABELS,
    AnyEntry,
    Close,
    Edit,
    Label,
    Open,
    Remark,
    Reopen,
    checked_body,
    checked_labels,
    checked_title,
    file,
    number,
    parse,
)
from runner.digest import Digest
from runner.errors import IntegrityError, RequestError

PLACE = {
    "project": "p1", "issue": 7, "number": 3, "author": "alice@x", "time": "2026-11-23T02:30:28Z", "nonce": "n",
    "prev": Digest("0" * 64),
}  # fmt: skip
ENTRIES: list[AnyEntry] = [
    Open(**PLACE, title="t", body="b", labels=("ops",)),  # type: ignore[arg-type] # each field has its own type
    Remark(**PLACE, body="words"),  # type: ignore[arg-type] # the same
    Edit(**PLACE, comment=2, body="other"),  # type: ignore[arg-type] # the same
    Label(**PLACE, add=("a",), remove=("b",)),  # type: ignore[arg-type] # the same
    Close(**PLACE),  # type: ignore[arg-type] # the same
    Reopen(**PLACE),  # type: ignore[arg-type] # the same
]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: type(entry).__name__)
def test_an_entry_comes_back_as_it_was(entry: AnyEntry) -> None:
    assert parse(entry.to_bytes(), path="x") == entry


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"comment"', b'"shout"'),
        (b'"kind": "comment",', b""),
        (b'"nonce": "n"', b'"nonce": "n", "verified": true'),
        (b'"issue": 7', b'"issue": "7"'),
        (b'"author": "alice@x",', b""),
        (b"02:30:28Z", b"02:30:28"),
        (b"2026-11-23", b"2026-13-23"),
    ],
)
def test_what_is_not_exactly_an_entry_is_refused_and_its_file_is_named(old: bytes, new: bytes) -> None:
    data = ENTRIES[1].to_bytes()
    assert old in data
    with pytest.raises(IntegrityError, match=r"issues/00007/00003\.json") as caught:
        parse(data.replace(old, new), path="issues/00007/00003.json")
    assert "git log" in caught.value.hint


@given(st.binary())
def test_any_bytes_are_an_entry_or_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        parse(data, path="x")


@given(st.integers(0, 999_999_999))
def test_every_number_has_one_name_that_reads_back(value: int) -> None:
    path = file(value, value)
    assert [number(part) for part in re.findall(r"[0-9]+", path)] == [value, value]


@pytest.mark.parametrize("name", ["", "1", "0001", "000001", "0x001", "00001 ", "-0001", "\u0661" * 5, "1" * 10])
def test_another_spelling_of_a_number_is_none(name: str) -> None:
    assert number(name) is None


@pytest.mark.parametrize("title", ["", "  ", "a\nb", "x" * 256, "a\u202eb"])
def test_a_title_is_one_short_line(title: str) -> None:
    with pytest.raises(RequestError, match="title"):
        checked_title(title)


@pytest.mark.parametrize("label", ["", "a,b", " a", "a\nb", "x" * 101])
def test_a_label_is_short_and_without_commas(label: str) -> None:
    with pytest.raises(RequestError, match="label"):
        checked_labels(frozenset({label}))


def test_what_fits_is_taken_as_it_is() -> None:
    assert checked_title(f" {'x' * (LARGEST_TITLE - 1)}") == "x" * (LARGEST_TITLE - 1)
    assert checked_labels(frozenset({"b: c", "a"})) == ("a", "b: c")
    assert checked_body("x" * LARGEST_BODY) == "x" * LARGEST_BODY
    assert len(checked_labels(frozenset(map(str, range(MOST_LABELS))))) == MOST_LABELS


def test_too_much_is_refused() -> None:
    with pytest.raises(RequestError, match=f"{LARGEST_BODY + 1:,}"):
        checked_body("x" * (LARGEST_BODY + 1))
    with pytest.raises(RequestError, match="more than 50"):
        checked_labels(frozenset(map(str, range(MOST_LABELS + 1))))


@pytest.mark.parametrize("check", [checked_body, checked_title])
def test_half_a_character_cannot_be_stored(check: type[str]) -> None:
    with pytest.raises(RequestError):
        check("\ud800")
