"""What one cell shows, as it arrives: streams joined cheaply, and no more kept than the bound.

A cell that floods its output must neither exhaust the worker's memory nor fail: what is beyond the bound is counted and
said, not kept. Nothing is masked here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runner.digest import Json

LIMIT = 64 * 1024 * 1024
"""Characters of one cell's output that are kept."""
OVERHEAD = 256
"""What an output costs beside its content."""


class Collected:
    """Collects one cell's output.

    Args:
        limit: characters to keep.
    """

    def __init__(self, *, limit: int = LIMIT) -> None:
        self._limit = limit
        self._size = 0
        self._left_out = 0
        self._parts: dict[int, list[str]] = {}

    def takes(self, message: Mapping[str, Any], outputs: Sequence[Any], *, clearing: bool) -> bool:
        """Look at a message first; False means that it is dealt with and must not be stored as an output."""
        kind, content = message["msg_type"], message["content"]
        if kind not in {"stream", "display_data", "execute_result", "error", "update_display_data"}:
            return True
        size = _size(content)
        if kind == "update_display_data" and size < self._limit // 8:
            return True  # it replaces what is there, as a progress bar does thousands of times
        if self._size + size + OVERHEAD > self._limit and kind != "error":
            self._left_out += size
            return False
        last = outputs[-1] if outputs and not clearing else None
        joins = kind == "stream" and last is not None and id(last) in self._parts and last["name"] == content["name"]
        self._size += size + (0 if joins else OVERHEAD)
        if joins:
            self._parts[id(last)].append(content["text"])
        return not joins

    def began(self, output: Any) -> None:
        """Note a stored output; the texts of a stream that follow directly are joined to it."""
        if output is not None and output["output_type"] == "stream":
            self._parts[id(output)] = [output["text"]]

    def outputs(self, stored: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Json], ...]:
        """Return the finished outputs in the order of their arrival, directly repeated streams joined."""
        made = [
            _plain(output) | ({"text": "".join(self._parts[id(output)])} if id(output) in self._parts else {})
            for output in stored
        ]
        if self._left_out:
            said = f"[{self._left_out} characters of output beyond the limit of {self._limit} were not kept]\n"
            made.append({"output_type": "stream", "name": "stderr", "text": said})
        return tuple(made)


def _size(content: Any) -> int:
    if isinstance(content, str):
        return len(content)
    if isinstance(content, Mapping):
        return sum(len(key) + _size(value) for key, value in content.items())
    if isinstance(content, Sequence):
        return sum(map(_size, content))
    return 8


def _plain(value: Any) -> Any:
    """Turn nbformat's nodes into plain JSON values."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
