"""Literal secrets: text that looks like a credential somebody pasted. Patterns only; it knows no secret's value.

Used by lint on a runbook's source and by the scan of what is about to be committed: one list, so that both agree.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """One hit: which pattern, and where (offsets into the text). The text itself is not repeated."""

    rule: str
    start: int
    end: int


_ALONE = r"(?:(?<![0-9A-Za-z])|(?<=\\[bfnrt]))"
"""Where a token begins whose first letters chance could write. In JSON and in source it may stand directly behind the
letter of an escape such as a newline's."""
_AT_START = r"(?:(?<![0-9A-Za-z_-])|(?<=\\[bfnrt]))"
"""The same for a token without an upper length: not inside a longer one, or hostile text would be read once per try."""

_PATTERNS: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = (
    ("private-key", ("PRIVATE KEY",), re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")),
    ("aws-access-key", ("AKIA", "ASIA"), re.compile(_ALONE + r"(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    (
        "gitlab-token",
        ("gl",),
        re.compile(r"gl(?:pat|ptt|rt|dt|cbt|soat|agent|oas|ft|imt)-[0-9A-Za-z_-]{20,}"),
    ),
    (
        "github-token",
        ("gh", "github_pat_"),
        re.compile(r"(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{50,})"),
    ),
    ("slack-token", ("xox",), re.compile(r"xox[abeoprs]-[0-9A-Za-z-]{10,}")),
    ("google-api-key", ("AIza",), re.compile(_ALONE + r"AIza[0-9A-Za-z_-]{35}")),
    ("stripe-key", ("k_live_",), re.compile(r"[rs]k_live_[0-9A-Za-z]{20,}")),
    (
        "json-web-token",
        ("eyJ",),
        re.compile(_AT_START + r"eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}"),
    ),
    (
        "password-in-url",
        ("://",),
        re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@'\"{}$]{1,64}:[^\s/:@'\"{}$]{3,128}@"),
    ),
)
"""Rule, the texts of which one is in everything that it finds, and the pattern. Looking for a plain text costs next to
nothing beside a pattern, and most text holds none of them."""

_WORDS = ("password", "passwd", "passphrase", "secret", "token", "key")
"""The same for what is assigned, in any case of letters."""

_ASSIGNED = re.compile(
    r"(?i)\b\w{0,40}(?:password|passwd|secret|api_?key|access_?key|auth_?token|token)\w{0,20}"
    r"\s{0,8}[:=]\s{0,8}[rbf]?(['\"])(?![^'\"]*[{}<>$])[^'\"\s]{8,200}\1"
)


def findings(text: str) -> tuple[Leak, ...]:
    """Find everything that looks like a credential, in the order of the text.

    Args:
        text: any text; several lines are searched together.
    """
    found = [*_formed(text)]
    if _speaks_of_secrets(text):
        found += [_leak("assigned-secret", match) for match in _ASSIGNED.finditer(text)]
    return tuple(sorted(found, key=lambda leak: (leak.start, leak.rule)))


def _formed(text: str) -> Iterator[Leak]:
    """What is known by its own form, whatever stands around it."""
    for rule, needles, pattern in _PATTERNS:
        if any(needle in text for needle in needles):
            yield from (_leak(rule, match) for match in pattern.finditer(text))


def _speaks_of_secrets(text: str) -> bool:
    # Folding, because a pattern that ignores case takes more letters for one another than lower case does.
    folded = text.casefold()
    return any(word in folded for word in _WORDS)


def _leak(rule: str, match: re.Match[str]) -> Leak:
    return Leak(rule=rule, start=match.start(), end=match.end())


_UNQUOTED = re.compile(
    r"(?i)(?:password|passwd|passphrase|secret|token|api_?key|access_?key|auth_?key)"
    r"[\"'\\]{0,3}\s{0,3}[=:]\s{0,3}[\"'\\]{0,3}(?P<value>[A-Za-z0-9+/=_.~!@#%^&*-]{12,200})"
)
_NAMES = re.compile(r"[a-z_]+(?:[._-][a-z]+)*|[A-Z]+(?:[._-][A-Z]+)*|[\d.:-]+|\*+|/[\w./-]+|sha(?:256|512)[:-].*")
_BITS = 3.2
"""Bits per character from which a value looks generated; words and names of things lie below."""


def in_output(text: str) -> tuple[Leak, ...]:
    """Find what looks like a credential in what a program printed.

    Output speaks of secrets by name all day ("secret: orders-db-password"), and a false alarm withholds evidence: here
    an assigned value counts, quoted or not, only if it looks generated.
    """
    found = [*_formed(text)]
    if _speaks_of_secrets(text):
        matches = _UNQUOTED.finditer(text)
        found += [_leak("assigned-secret", match) for match in matches if _generated(match["value"])]
    return tuple(sorted(found, key=lambda leak: (leak.start, leak.rule)))


def _generated(value: str) -> bool:
    if _NAMES.fullmatch(value) or not any(c.isdigit() for c in value) or not any(c.isalpha() for c in value):
        return False
    counts = Counter(value)
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values()) >= _BITS
