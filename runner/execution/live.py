"""The live log of an attempt: what its cells show, masked, while they run, for people who watch.

It is beside the record and never part of it: nothing here is durable, what comes too fast is left out, and no trouble
with it reaches the run. What a cell shows is kept whole, masked and sealed elsewhere (`outputs`, `transcript`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from runner.execution.phases import Step
from runner.execution.progress import Said
from runner.execution.redact import Masker
from runner.execution.stream_mask import StreamMask
from runner.ports.live_log import LiveLog

BURST = 256 * 1024
"""Characters that may come at once."""
PACE = 64 * 1024
"""Characters a second that are shown in the long run: more than anybody reads."""


class Live:
    """Writes one attempt's live log.

    Args:
        log: where to.
        masker: knows this run's secrets; its counts are left alone.
        clock: monotonic seconds.
    """

    def __init__(self, log: LiveLog, *, masker: Masker, clock: Callable[[], float]) -> None:
        self._log, self._masker, self._clock = log, masker, clock
        self._began = self._filled = clock()
        self._room = float(BURST)
        self._left_out = 0
        self._mask = StreamMask(masker)
        self._cell = ("", "", "")

    def began(self, step: Step, *, phase: str) -> None:
        """A cell begins: what it shows is a text of its own."""
        self.ended()
        self._mask = StreamMask(self._masker)
        self._cell = phase, step.id, self._masker.cover(step.name)

    def shows(self, message: Mapping[str, Any]) -> None:
        """The kernel sent something about the cell; whatever is no output is passed over."""
        stream, text = _words(message)
        if not text:
            return
        if not self._has_room(len(text)):
            self._left_out += len(text)
            self._mask.gap()
            return
        said = self._mask.take(stream, text)
        self._write(self._note() + said)

    def ended(self) -> None:
        """The cell is over."""
        self._write(self._note() + self._mask.end())

    def _has_room(self, size: int) -> bool:
        now = self._clock()
        self._room = min(float(BURST), self._room + PACE * (now - self._filled))
        self._filled = now
        if size > self._room:
            return False
        self._room -= size
        return True

    def _note(self) -> str:
        """What was left out, said once where words go on."""
        note = f"\n[{self._left_out} characters came too fast to be shown here]\n" if self._left_out else ""
        self._left_out = 0
        return note

    def _write(self, text: str) -> None:
        if not text:
            return
        phase, cell, name = self._cell
        # A lone surrogate has no bytes.
        clean = text.encode("utf-8", "replace").decode("utf-8")
        said = Said(at=round(self._clock() - self._began, 3), phase=phase, cell=cell, name=name, text=clean)
        self._log.append(msgspec.json.encode(said) + b"\n")


def _words(message: Mapping[str, Any]) -> tuple[str, str]:
    """The stream and the text of a message, as far as it can be read on a terminal."""
    content = message["content"]
    match message["msg_type"]:
        case "stream":
            return str(content["name"]), str(content["text"])
        case "display_data" | "execute_result":
            text = content.get("data", {}).get("text/plain", "")
            return "display", f"{text}\n" if isinstance(text, str) and text else ""
        case _:
            # An error's words come with the end of its cell, and its traceback is in the executed notebook.
            return "", ""
