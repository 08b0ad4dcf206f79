"""Masking: every known secret value, in every form that we know how to write it, over joined text.

Pure. A value that is printed one character at a time, coloured in the middle, split over messages or wrapped at a
column is still one value to a reader, so matching happens on the joined text with such separators taken out, and the
masks are put back into the parts. It does not look for values that nobody registered (`runner.runbook.leaks` does).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate

from runner.digest import Json
from runner.errors import OperatorError
from runner.execution.outcome import Redaction
from runner.execution.secret_forms import forms

LEAST = 6
"""A shorter value cannot be masked without masking ordinary words."""

_HEAD = 4
"""Characters by which the beginning of a form is known at once."""

COMPACT_LEAST = 10
"""The least letters and digits of a form that is also looked for with everything between them taken out."""

_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00\x08\x7f\u200b\u200c\u200d\u2060\ufeff]"
)
_NOTHING = re.compile(r"(?!)")
_CUT_OFF = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?)?\Z")
_NOISE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\W_]+")


class Masker:
    """Masks a fixed set of values and counts what it masked.

    Args:
        values: secret name to value.

    Raises:
        OperatorError: if a value is too short to be masked.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        exact: dict[str, str] = {}
        plain: dict[str, str] = {}
        compact: dict[str, str] = {}
        for name, value in values.items():
            if len(value) < LEAST:
                raise OperatorError(
                    f"taking the secret {name}",
                    f"its value is shorter than {LEAST} characters and could not be masked",
                    hint="use a longer value",
                )
            for form in forms(value):
                exact.setdefault(form, name)
                # What a terminal does not show is taken out of the text, so it must not be expected there either.
                seen = _ANSI.sub("", form)
                plain.setdefault(seen if len(seen) >= LEAST else form, name)
                bare = _NOISE.sub("", form)
                if len(bare) >= COMPACT_LEAST:
                    compact.setdefault(bare, name)
        self._bytes = {form.encode("utf-8", "surrogatepass"): name for form, name in exact.items()}
        self._exact = _Finder(exact, drop=_NOTHING)
        self._plain = _Finder(plain, drop=_ANSI)
        self._compact = _Finder(compact, drop=_NOISE)
        self._counts: Counter[str] = Counter()
        self._where: defaultdict[str, set[str]] = defaultdict(set)

    def found(self, text: str) -> frozenset[str]:
        """Name the secrets that can still be read from a text, without counting or changing anything."""
        return frozenset(name for _, _, name in self.spans(text))

    @property
    def longest(self) -> int:
        """Characters of the longest form that is looked for; 0 without any secret."""
        return self._exact.longest

    def spans(self, text: str) -> list[tuple[int, int, str]]:
        """List where secrets stand in a text, without counting or changing anything: start, end, name."""
        return merged(span for finder in self._finders(text) for span in finder.spans(text))

    def _finders(self, text: str) -> tuple[_Finder, ...]:
        """Who has to look: where something is taken out of a text, a value may begin in the middle of that."""
        return (*((self._exact,) if _ANSI.search(text) else ()), self._plain, self._compact)

    def cover(self, text: str) -> str:
        """Mask one text that was counted elsewhere, or is not kept."""
        return covered([text], self.spans(text))[0]

    def undecided(self, text: str) -> int:
        """Say from which place on more text could still make a secret of this one's end; its length if from none.

        A control sequence that the end cuts off is undecided as well: whole, it would be taken out.
        """
        cut = _CUT_OFF.search(text)
        known = text[: cut.start()] if cut else text
        return min(finder.undecided(known) for finder in self._finders(known))

    def mask(self, text: str, *, where: str) -> str:
        """Mask one text."""
        return self.parts((text,), where=where)[0]

    def parts(self, parts: Sequence[str], *, where: str) -> list[str]:
        """Mask texts that a reader sees as one; each keeps its place, and a mask stands where its value began."""
        current = list(parts)
        for finder in self._finders("".join(parts)):
            joined = "".join(current)
            spans = merged(finder.spans(joined))
            if spans:
                for _, _, name in spans:
                    self._counts[name] += 1
                    self._where[name].add(where)
                current = covered(current, spans)
        return current

    def value(self, value: Json, *, where: str) -> Json:
        """Mask every string of a JSON value, keys too, as one joined text."""
        masked = iter(self.parts(list(_strings(value)), where=where))
        return _rebuilt(value, masked)

    def left_out(self, data: bytes, *, where: str) -> bool:
        """Say whether a binary file holds a value, and count it as masked: it must not be kept at all."""
        names = self.found(data.decode("latin-1")) | {name for form, name in self._bytes.items() if form in data}
        for name in names:
            self._counts[name] += 1
            self._where[name].add(where)
        return bool(names)

    def redactions(self) -> tuple[Redaction, ...]:
        """Say what was masked so far."""
        return tuple(
            Redaction(rule=name, count=count, where=tuple(sorted(self._where[name])))
            for name, count in sorted(self._counts.items())
        )


class _Finder:
    """Finds any of the forms in a text after taking separators out of it."""

    def __init__(self, names: Mapping[str, str], *, drop: re.Pattern[str]) -> None:
        self._names = names
        self._drop = drop
        self.longest = max(map(len, names), default=0)
        self._sorted = sorted(names)
        # Most ends begin no form at all, and this tells it without a search.
        self._heads = frozenset(name[:size] for name in names for size in range(1, _HEAD + 1))

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        # Longest first, so that a value that contains another one is masked whole.
        ordered = sorted(self._names, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def spans(self, text: str) -> list[tuple[int, int, str]]:
        """List where forms stand, as places in the text as given."""
        if self._pattern is None:
            return []
        bare = self._drop.sub("", text)
        hits = [(m.start(), m.end(), self._names[m.group()]) for m in self._pattern.finditer(bare)]
        if not hits or len(bare) == len(text):
            return hits
        kept_starts, text_starts = self._kept(text)
        return [
            (_place(start, kept_starts, text_starts), _place(end - 1, kept_starts, text_starts) + 1, name)
            for start, end, name in hits
        ]

    def undecided(self, text: str) -> int:
        """Say where the first form may have begun that the text's end cuts off; the text's length if there is none."""
        bare = self._drop.sub("", text)
        first = max(0, len(bare) - self.longest + 1)
        place = next((place for place in range(first, len(bare)) if self._goes_on(bare, place)), None)
        if place is None:
            return len(text)
        return place if len(bare) == len(text) else _place(place, *self._kept(text))

    def _goes_on(self, bare: str, place: int) -> bool:
        """Whether a form begins with all that comes from a place on, and is longer."""
        if bare[place : place + _HEAD] not in self._heads:
            return False
        end = bare[place:]
        after = bisect_right(self._sorted, end)
        return after < len(self._sorted) and self._sorted[after].startswith(end)

    def _kept(self, text: str) -> tuple[list[int], list[int]]:
        """Where each kept stretch begins, in the bare text and in the given one."""
        bare_starts, text_starts, bare, last = [], [], 0, 0
        for match in [*self._drop.finditer(text), None]:
            stop = match.start() if match else len(text)
            if stop > last:
                bare_starts.append(bare)
                text_starts.append(last)
                bare += stop - last
            last = match.end() if match else stop
        return bare_starts, text_starts


def _place(bare: int, bare_starts: Sequence[int], text_starts: Sequence[int]) -> int:
    stretch = bisect_right(bare_starts, bare) - 1
    return text_starts[stretch] + bare - bare_starts[stretch]


def merged(spans: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Put spans in order, those that overlap joined under the first one's name."""
    merged: list[tuple[int, int, str]] = []
    for start, end, name in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]), merged[-1][2])
        else:
            merged.append((start, end, name))
    return merged


def covered(parts: Sequence[str], spans: Sequence[tuple[int, int, str]]) -> list[str]:
    """Cut the spans of the joined text out of its parts, and put a mask where each that has a name began."""
    offsets = [0, *accumulate(map(len, parts))]
    pieces: list[list[str]] = [[] for _ in parts]
    last = 0
    for start, end, name in [*spans, (offsets[-1], offsets[-1], "")]:
        for index, first, stop in _within(offsets, last, start):
            pieces[index].append(parts[index][first:stop])
        if name:
            pieces[_part(offsets, start)].append(f"[redacted:{name}]")
        last = end
    return ["".join(piece) for piece in pieces]


def _part(offsets: Sequence[int], place: int) -> int:
    return bisect_right(offsets, place) - 1


def _within(offsets: Sequence[int], start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Name the parts that a stretch of the joined text goes through, and from where to where in each."""
    if start < end:
        for index in range(_part(offsets, start), _part(offsets, end - 1) + 1):
            yield index, max(start - offsets[index], 0), end - offsets[index]


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)


def _rebuilt(value: Json, masked: Iterator[str]) -> Json:
    if isinstance(value, str):
        return next(masked)
    if isinstance(value, list):
        return [_rebuilt(item, masked) for item in value]
    if isinstance(value, dict):
        rebuilt: dict[str, Json] = {}
        for item in value.values():
            key = next(masked)
            rebuilt[key] = _rebuilt(item, masked)
        return rebuilt
    return value
