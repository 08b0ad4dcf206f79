"""Masking text while it comes: however it is cut, nothing of a secret passes, and ordinary words are not kept back."""

from __future__ import annotations

import base64
import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.execution import stream_mask
from runner.execution.redact import Masker
from runner.execution.stream_mask import StreamMask

VALUE = 'S3cr&t "it\'s"/+é0x'
FORMS = {
    "raw": VALUE,
    "JSON": json.dumps(VALUE),
    "base64": base64.b64encode(b"x" + VALUE.encode()).decode(),
    "hex": VALUE.encode().hex(":"),
    "one character a line": "\n".join(VALUE),
    "coloured": "".join(f"\x1b[3{n % 8}m{c}\x1b[0m" for n, c in enumerate(VALUE)),
    "titled": "".join(f"\x1b]0;title\x1b\\{c}" for c in VALUE),
}

MASKER = Masker({"PW": VALUE})
HORSE = Masker({"PW": "correct-horse-battery-staple"})
CUTS = st.lists(st.integers(0, 400), max_size=40)


def pieces(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


def shown(mask: StreamMask, said: list[tuple[str, str]]) -> str:
    return "".join(mask.take(stream, text) for stream, text in said) + mask.end()


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60)
@given(cuts=CUTS)
def test_however_one_stream_is_cut_it_is_masked_as_the_whole_text_would_be(form: str, cuts: list[int]) -> None:
    text = f"before\n{FORMS[form]}\nafter {FORMS[form]} end"
    masked = shown(StreamMask(MASKER), [("stdout", part) for part in pieces(text, cuts)])
    assert masked == MASKER.cover(text)
    assert MASKER.found(masked) == frozenset()
    assert masked.count("[redacted:PW]") == 2


@settings(max_examples=40)
@given(
    value=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=6, max_size=20).filter(
        lambda value: len(value.strip()) >= 6 and not set(value) & set("[redacted:X]…")
    ),
    around=st.lists(st.text(max_size=20), min_size=3, max_size=3),
    cuts=CUTS,
)
def test_whatever_the_value_and_the_words_around_it_are_none_of_it_passes(
    value: str, around: list[str], cuts: list[int]
) -> None:
    masker = Masker({"X": value})
    text = f"{around[0]}{value}{around[1]}{value}{around[2]}"
    masked = shown(StreamMask(masker), [("stdout", part) for part in pieces(text, cuts)])
    assert masked == masker.cover(text)
    assert value not in masked


@settings(max_examples=60)
@given(cuts=CUTS, turns=st.lists(st.sampled_from(["stdout", "stderr", "display"]), min_size=42, max_size=42))
def test_however_it_is_spread_over_streams_no_reader_finds_it(cuts: list[int], turns: list[str]) -> None:
    text = "the value is correct-horse-battery-staple, again correct-horse-battery-staple!"
    said = list(zip(turns, pieces(text, cuts), strict=False))
    masked = shown(StreamMask(HORSE), said)
    assert HORSE.found(masked) == frozenset()
    assert "horse-battery" not in masked


@settings(max_examples=60)
@given(cuts=CUTS, noise=st.lists(st.sampled_from(["warning\n", "é\n", "\x1b[31m!\x1b[0m"]), min_size=41, max_size=41))
def test_words_of_another_stream_in_between_do_not_let_it_through(cuts: list[int], noise: list[str]) -> None:
    parts = pieces("pw correct-horse-battery-staple\n", cuts)
    said = [one for part, word in zip(parts, noise, strict=False) for one in (("stdout", part), ("stderr", word))]
    masked = shown(StreamMask(HORSE), said)
    without = masked.replace("warning\n", "").replace("é\n", "").replace("\x1b[31m!\x1b[0m", "").replace("\n", "")
    assert HORSE.found(without) == frozenset()


@settings(max_examples=60)
@given(cuts=CUTS, gaps=st.sets(st.integers(0, 40), max_size=5))
def test_after_a_gap_the_rest_of_a_secret_is_not_shown(cuts: list[int], gaps: set[int]) -> None:
    mask = StreamMask(HORSE)
    masked = ""
    for number, part in enumerate(pieces("correct-horse-battery-staple " * 12, cuts)):
        if number in gaps:
            mask.gap()
        else:
            masked += mask.take("stdout", part)
    masked += mask.end()
    assert "battery-stap" not in masked.replace("[redacted:PW]", "")


def test_ordinary_words_come_at_once_up_to_an_end_that_could_become_a_secret() -> None:
    mask = StreamMask(HORSE)
    assert mask.take("stdout", "waiting for the replica.\nhm\n") == "waiting for the replica.\nhm\n"
    assert mask.take("stdout", "it is correct-horse") == "it is "
    assert mask.take("stdout", " no") == "correct-horse no"


def test_without_secrets_nothing_is_held_back() -> None:
    mask = StreamMask(Masker({}))
    assert mask.take("stdout", "a\x1b[1mb") == "a\x1b[1mb"
    mask.gap()
    assert mask.take("stderr", "c") == "\nc", "another stream begins a line of its own"
    assert mask.end() == ""


def test_an_end_that_must_give_way_to_another_stream_is_never_shown() -> None:
    mask = StreamMask(HORSE)
    assert mask.take("stdout", "it is cor\n") == "it is "
    # Joined, what stdout and stderr say could not become the secret any more; stdout alone still could.
    assert mask.take("stderr", "a warning\n") == "…\na warning\n"
    assert mask.take("stdout", "rect-horse-battery-staple.\n") + mask.end() == ".\n"


def test_what_could_become_a_secret_for_ever_is_left_out_and_memory_stays_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_mask, "HELD", 1000)
    mask = StreamMask(HORSE)
    said = mask.take("stdout", "start correct-horse") + "".join(mask.take("stdout", "-" * 100) for _ in range(1000))
    assert said == "start …"
    assert "staple" not in mask.take("stdout", "battery-staple")
    later = [mask.take("stdout", "and on it goes.") for _ in range(100)]
    assert later[0] == ""
    assert later[-1] == "and on it goes."
