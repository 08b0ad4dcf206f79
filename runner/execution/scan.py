"""The scan gate: the last look at the exact bytes that are about to be sealed.

Masking works on what it knows; this looks at what came out, in the stored form and in the form that a reader sees. A
hit withholds the outputs. It finds and names; what happens then is decided where the outcome is made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runner.digest import Json
from runner.execution.redact import Masker
from runner.runbook import leaks


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One hit: the pattern's or the secret's name, and the line of the file (from 1; 0 where it hides over lines)."""

    rule: str
    line: int


def findings(data: bytes) -> tuple[Found, ...]:
    """Look for everything that has the form of a credential, in a file's text and, for JSON, in the texts inside it."""
    text = data.decode("utf-8", "replace")
    found = {Found(rule=leak.rule, line=text.count("\n", 0, leak.start) + 1) for leak in leaks.in_output(text)}
    seen = {one.rule for one in found}
    for inner in _texts(data):
        found |= {Found(rule=leak.rule, line=0) for leak in leaks.in_output(inner) if leak.rule not in seen}
    return tuple(sorted(found, key=lambda one: (one.line, one.rule)))


def gate(files: Mapping[str, bytes], *, masker: Masker, public: str) -> dict[str, tuple[Found, ...]]:
    """Look at every file to be sealed.

    Args:
        files: path to bytes.
        masker: knows the values of this run's secrets.
        public: text that is published anyway (the runbook's own source): what stands there is lint's business.

    Returns:
        The files that may not be sealed as they are, with what was found in them.
    """
    known = {(leak.rule, public[leak.start : leak.end]) for leak in leaks.in_output(public)}
    found: dict[str, tuple[Found, ...]] = {}
    for path, data in files.items():
        hits = (*_known(data, masker=masker), *_new(data, known=known))
        if hits:
            found[path] = hits
    return found


def _known(data: bytes, *, masker: Masker) -> Iterator[Found]:
    names = set(masker.found(data.decode("utf-8", "replace")))
    for text in _texts(data):
        names |= masker.found(text)
    yield from (Found(rule=name, line=0) for name in sorted(names))


def _new(data: bytes, *, known: set[tuple[str, str]]) -> Iterator[Found]:
    texts = _texts(data) or [data.decode("utf-8", "replace")]
    for text in texts:
        for leak in leaks.in_output(text):
            if (leak.rule, text[leak.start : leak.end]) not in known:
                yield Found(rule=leak.rule, line=0)


def _texts(data: bytes) -> list[str]:
    """The texts inside JSON, a list of lines joined as a reader sees it; none if it is not JSON."""
    try:
        return list(_inside(json.loads(data)))
    except (ValueError, RecursionError):
        return []


def _inside(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        lines = [item for item in value if isinstance(item, str)]
        if lines:
            yield "".join(lines)
        if any(not line.endswith("\n") for line in lines[:-1]):
            # These are words and not the lines of one text: joined, the end of one would hide the start of the next.
            yield "\n".join(lines)
        for item in value:
            if not isinstance(item, str):
                yield from _inside(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _inside(item)
