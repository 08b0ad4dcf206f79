"""Masking text while it comes: whatever its pieces, no form of a secret passes, and little is held back.

What is held back is only the end that more text could still make a secret of. Pure; the masks are those of `redact`,
over the words in their order and over each stream by itself, since a reader may read either way.
"""

from __future__ import annotations

import re
from itertools import accumulate, pairwise

from runner.execution.redact import Masker, covered, merged

HELD = 32 * 1024
"""Characters that are held back at most, beside the longest secret: then they are left out, and never shown."""
HIDDEN = "…"
"""Stands for an end that had to give way before it was decided."""

_LETTER = re.compile(r"[^\W_]")
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]?|\x1b\][^\x07\x1b]*|\x1b[@-Z\\-_]?")

Piece = tuple[str, str]
"""The name of a stream, and text."""


class StreamMask:
    """Masks the words of one cell: pieces of several streams go in as they come, and come out masked and joined."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._all = _Flow(masker)
        self._streams: dict[str, _Flow] = {}
        self._seen: set[str] = set()
        self._last = ""
        self._before = "\n"
        self._gaps = False

    def take(self, stream: str, text: str) -> str:
        """Take in a piece; return what can be shown now."""
        if not self._masker.longest:
            return self._joined([(stream, text)])
        self._seen.add(stream)
        pieces = self._all.take(stream, text)
        if pieces is None:
            self.gap()
            return HIDDEN
        return self._joined(pieces)

    def gap(self) -> None:
        """Some text is left out here: what comes next may be the rest of a secret whose beginning was in it."""
        self._gaps = True
        for flow in (self._all, *self._streams.values()):
            flow.gap()

    def end(self) -> str:
        """The cell is over: nothing can follow, so all that is left is decided."""
        shown = self._joined(self._all.end())
        return shown + "".join(text for flow in self._streams.values() for _, text in flow.end())

    def _joined(self, pieces: list[Piece]) -> str:
        shown = ""
        for stream, text in pieces:
            if self._last not in ("", stream):
                # What another stream holds back cannot wait in the middle of this one's words.
                shown += self._streams[self._last].give_way() if self._last in self._streams else ""
                shown += "" if (shown or self._before).endswith("\n") else "\n"
            self._last = stream
            # As long as there is one stream, its words are all the words in their order.
            shown += text if len(self._seen) < 2 else self._of(stream, text)  # noqa: PLR2004 - one, or several
        self._before = shown[-1:] or self._before
        return shown

    def _of(self, stream: str, text: str) -> str:
        if stream not in self._streams:
            self._streams[stream] = _Flow(self._masker)
            if self._gaps:
                self._streams[stream].gap()
        flow = self._streams[stream]
        pieces = flow.take(stream, text)
        if pieces is None:
            flow.gap()
            return HIDDEN
        return "".join(part for _, part in pieces)


class _Flow:
    """One text that comes in pieces; each keeps the name of its stream."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._parts: list[Piece] = []
        self._given = 0
        """Characters at the front of what is held back that gave way: they are never shown."""
        self._blind = 0
        """Letters that have to pass unseen before anything is shown again."""

    def take(self, stream: str, text: str) -> list[Piece] | None:
        """Take in a piece and return what is decided; None if too much is not."""
        self._parts.append((stream, text))
        whole = self._whole
        if self._blind:
            if _letters(whole) < self._blind:
                if not self._bounded(len(whole)):
                    self.gap()
                return []
            # A secret may begin in here and end in what is shown: it is looked for, and none of this is shown.
            self._blind, self._given = 0, len(whole)
        spans = self._spans(whole)
        place = self._masker.undecided(whole)
        place = min([place, *(start for start, end, _ in spans if end > place)])
        if not self._bounded(len(whole) - place):
            return None
        return self._released(place, [span for span in spans if span[1] <= place])

    def end(self) -> list[Piece]:
        """Return all that is left: nothing follows."""
        whole = self._whole
        pieces = [] if self._blind else self._released(len(whole), self._spans(whole))
        self._parts, self._given = [], 0
        return pieces

    def gap(self) -> None:
        """Forget what is held back, and show nothing of the secret that it may have begun."""
        self._parts, self._given, self._blind = [], 0, self._masker.longest

    def give_way(self) -> str:
        """What is shown in place of the held end; the end itself only ever helps to find the rest of a secret."""
        whole = self._whole
        hidden = whole[self._given :]
        self._given = len(whole)
        if not hidden:
            return ""
        return f"{HIDDEN}\n" if hidden.endswith("\n") else HIDDEN

    @property
    def _whole(self) -> str:
        return "".join(text for _, text in self._parts)

    def _spans(self, whole: str) -> list[tuple[int, int, str]]:
        given = [(0, self._given, "")] if self._given else []
        return merged([*given, *self._masker.spans(whole)])

    def _bounded(self, held: int) -> bool:
        return held <= HELD + 2 * self._masker.longest

    def _released(self, place: int, spans: list[tuple[int, int, str]]) -> list[Piece]:
        """Take the text before a place out, masked."""
        edges = [0, *accumulate(len(text) for _, text in self._parts)]
        before, after = [], []
        for (stream, text), (start, _) in zip(self._parts, pairwise(edges), strict=True):
            cut = min(max(place - start, 0), len(text))
            before.append((stream, text[:cut]))
            after.append((stream, text[cut:]))
        shown = covered([text for _, text in before], spans)
        self._parts = [(stream, text) for stream, text in after if text]
        self._given = max(0, self._given - place)
        return [(stream, text) for (stream, _), text in zip(before, shown, strict=True) if text]


def _letters(text: str) -> int:
    """How many characters of a secret a text can hold at least, whatever stands between them."""
    return len(_LETTER.findall(_CONTROL.sub("", text)))
