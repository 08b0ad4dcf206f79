"""From what a cell showed to what is kept: masked, without our paths, large parts as artifacts."""

from __future__ import annotations

import base64
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.digest import Json, sha256
from runner.execution.outputs import ARTIFACT, END, LARGE, RECORD, Kept, coalesced
from runner.execution.redact import Masker

VALUE = "correct-horse-battery"
Output = dict[str, Json]


def kept(*hidden: str) -> Kept:
    return Kept(masker=Masker({"PW": VALUE}), hidden_paths=hidden)


def stream(text: str, name: str = "stdout") -> Output:
    return {"output_type": "stream", "name": name, "text": text}


def display(data: dict[str, Json]) -> Output:
    return {"output_type": "display_data", "data": data, "metadata": {}}


def shown_artifact(data: bytes, media: str = "text/csv") -> Output:
    return display({ARTIFACT: {"name": "a", "media_type": media, "data": base64.b64encode(data).decode()}})


@given(
    st.lists(st.integers(0, len(VALUE) + 4), max_size=6), st.lists(st.sampled_from(["stdout", "stderr"]), min_size=8)
)
def test_a_value_printed_in_pieces_over_both_streams_is_in_no_stored_byte(cuts: list[int], names: list[str]) -> None:
    text = f"a {VALUE} b"
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [stream(text[a:b], name) for (a, b), name in zip(pairwise(edges), names, strict=False)]
    stored, whole = kept().keep(pieces, cell=0)
    for outputs in (stored, whole):
        assert VALUE not in "".join(str(output["text"]) for output in outputs)
        assert VALUE not in json.dumps(outputs)


@given(st.lists(st.tuples(st.sampled_from(["stdout", "stderr", ""]), st.text(max_size=3)), max_size=12))
def test_joining_streams_keeps_every_character_and_one_output_for_each_between_displays(
    parts: list[tuple[str, str]],
) -> None:
    outputs = [stream(text, name) if name else display({"text/plain": text}) for name, text in parts]
    joined = coalesced(outputs)
    for name in ("stdout", "stderr"):
        whole = "".join(text for each, text in parts if each == name)
        assert "".join(str(output["text"]) for output in joined if output.get("name") == name) == whole
    between: list[Json] = []
    for output in joined:
        between = [] if output["output_type"] != "stream" else [*between, output["name"]]
        assert len(between) == len(set(map(str, between)))


def test_a_large_text_is_an_artifact_with_its_ends_in_the_cell() -> None:
    one = kept()
    text = "begin" + "x" * LARGE + "end"
    (output,), (whole,) = one.keep([stream(text)], cell=3)
    assert whole["text"] == text
    said = str(output["text"])
    assert said.startswith("begin")
    assert said.endswith("end")
    assert len(said) < 2 * END + 200
    (artifact,) = one.artifacts
    assert (artifact.cell, artifact.size, artifact.path) == (3, len(text), f"artifacts/{sha256(text.encode())}.txt")
    assert artifact.path in said
    assert one.files[artifact.path] == text.encode()


def test_what_is_just_not_large_stays() -> None:
    one = kept()
    (output,), _ = one.keep([stream("x" * LARGE)], cell=0)
    assert output["text"] == "x" * LARGE
    assert one.files == {}


def test_a_large_picture_becomes_a_file_of_its_own_bytes_and_its_words_stay() -> None:
    one = kept()
    picture = bytes(range(256)) * 2000
    (output,), _ = one.keep(
        [display({"image/png": base64.b64encode(picture).decode(), "text/plain": "<plot>"})], cell=0
    )
    assert isinstance(output["data"], dict)
    assert list(output["data"]) == ["text/plain"]
    assert str(output["data"]["text/plain"]).startswith("<plot>\n[")
    assert list(one.files.values()) == [picture]
    assert one.artifacts[0].path.endswith(".png")


def test_a_large_traceback_is_cut_too() -> None:
    one = kept()
    error: Output = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["x" * LARGE, "y"]}
    (output,), _ = one.keep([error], cell=0)
    assert isinstance(output["traceback"], list)
    assert len(str(output["traceback"])) < 3 * END
    assert one.artifacts


def test_a_record_is_kept_masked_and_raw_only_for_the_next_kernel() -> None:
    one = kept()
    one.keep([display({RECORD: {"name": "old", "value": {"password": VALUE, "n": 1}}})], cell=0)
    assert one.records == {"old": {"password": "[redacted:PW]", "n": 1}}
    assert one.raw_records == {"old": {"password": VALUE, "n": 1}}
    one.keep([display({RECORD: {"name": "old", "value": 2}})], cell=1)
    assert (one.records, one.raw_records) == ({"old": 2}, {"old": 2})


@pytest.mark.parametrize("wrong", [None, [], "x", {}, {"name": 3, "value": 1}])
def test_a_display_that_only_claims_to_be_a_record_is_none(wrong: Json) -> None:
    one = kept()
    one.keep([display({RECORD: wrong, ARTIFACT: wrong if not isinstance(wrong, dict) else None})], cell=0)
    assert (one.records, one.files) == ({}, {})


def test_an_artifact_is_filed_masked_and_described_in_its_place() -> None:
    one = kept()
    (output,), _ = one.keep([shown_artifact(f"user,{VALUE}\n".encode())], cell=2)
    (path,) = one.files
    assert one.files[path] == b"user,[redacted:PW]\n"
    assert path == f"artifacts/{sha256(one.files[path])}.csv"
    assert output["data"] == {
        ARTIFACT: {"name": "a", "path": path, "sha256": sha256(one.files[path]), "size": len(one.files[path])}
    }


def test_a_binary_artifact_with_a_value_in_it_is_left_out_whole() -> None:
    one = kept()
    (output,), _ = one.keep([shown_artifact(b"\xff" + VALUE.encode())], cell=2)
    assert one.files == {}
    assert "left out" in json.dumps(output)
    assert one.masker.redactions()[0].where == ("artifact of cell 3",)


def test_an_artifact_that_is_not_base64_is_said_to_be_none() -> None:
    one = kept()
    (output,), _ = one.keep([display({ARTIFACT: {"name": "a", "data": "***"}})], cell=0)
    assert "not base64" in json.dumps(output)
    assert one.files == {}


def test_the_same_bytes_twice_are_one_file_and_one_entry() -> None:
    one = kept()
    one.keep([shown_artifact(b"same"), shown_artifact(b"same")], cell=0)
    assert len(one.files) == len(one.artifacts) == 1


def test_the_workers_own_paths_are_taken_out_everywhere() -> None:
    one = kept("/private/spool/x", "/spool/x")
    outputs = [stream("in /private/spool/x/work\n"), display({"text/html": "<a href='/spool/x'>", "a": ["/spool/x/b"]})]
    stored, _ = one.keep(outputs, cell=0)
    assert "spool/x" not in json.dumps(stored)
    assert stored[0]["text"] == "in [run]/work\n"
