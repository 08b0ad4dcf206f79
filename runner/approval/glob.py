"""Patterns of policy: plain text in which `*` stands for any characters, `/` among them. Nothing else is special.

Not `fnmatch`: its brackets and question marks surprise, and matching here must stay linear for hostile names.
"""

from __future__ import annotations

from collections.abc import Iterable


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits the pattern; upper and lower case differ."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    last = rest.pop()
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in rest:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def matches_any(patterns: Iterable[str], text: str) -> bool:
    """Whether one of the patterns fits; no pattern fits nothing."""
    return any(matches(pattern, text) for pattern in patterns)
