from __future__ import annotations

from typing import Any

from runner.execution.collected import Collected
from runner.execution.outputs import coalesced


def stream(name: str, text: str) -> dict[str, Any]:
    return {"msg_type": "stream", "content": {"name": name, "text": text}}


def feed(collected: Collected, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    stored: list[dict[str, Any]] = []
    for message in messages:
        if collected.takes(message, stored, clearing=False):
            stored.append({"output_type": message["msg_type"], **message["content"]})
            collected.began(stored[-1])
    return stored


def test_a_stream_is_joined_and_streams_are_coalesced_between_displays() -> None:
    collected = Collected()
    display = {"msg_type": "display_data", "content": {"data": {"text/plain": "1"}, "metadata": {}}}
    stored = feed(
        collected,
        *(stream("stdout", c) for c in "abc"),
        stream("stderr", "e"),
        stream("stdout", "d"),
        display,
        stream("stdout", "f"),
    )
    outputs = collected.outputs(stored)
    assert [output.get("text") for output in outputs] == ["abc", "e", "d", None, "f"]
    assert [output.get("text") for output in coalesced(outputs)] == ["abcd", "e", None, "f"]


def test_beyond_the_bound_output_is_counted_and_errors_still_kept() -> None:
    collected = Collected(limit=2000)
    error = {"msg_type": "error", "content": {"ename": "E", "evalue": "v", "traceback": ["t"]}}
    stored = feed(collected, stream("stdout", "x" * 1000), stream("stdout", "y" * 1000), error)
    outputs = collected.outputs(stored)
    assert outputs[0]["text"] == "x" * 1000
    assert outputs[1]["ename"] == "E"
    assert "1014 characters" in str(outputs[2]["text"])


def test_a_progress_display_that_is_updated_for_ever_is_not_a_flood() -> None:
    collected = Collected(limit=5000)
    update = {"msg_type": "update_display_data", "content": {"data": {"text/plain": "50 %"}, "metadata": {}}}
    assert all(collected.takes(update, [], clearing=False) for _ in range(10_000))
    assert collected.takes(stream("stdout", "on"), [], clearing=False)
