"""What text may be made of when it crosses from a request into a run, and how refused text is shown to people."""

from __future__ import annotations

import re
import unicodedata

from runner.digest import Json

MAX_TEXT = 8 * 1024
MAX_DEPTH = 8
_SHOWN = 60
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase|code)?($|_)|secret|token|credential|api_?key|private_?key|access_?key|(^|_)(pw|pwd|key|auth)($|_)",
    re.IGNORECASE,
)
_ABOUT_SECRET = re.compile(
    r"_(path|file|name|id|dir|folder|url|days|hours|minutes|seconds|length|count|bits)$", re.IGNORECASE
)
"""`key_path` is where a secret lies, not the secret."""
_HIDDEN = (
    frozenset(range(0xFE00, 0xFE10)) | frozenset(range(0xE0100, 0xE01F0)) | {0x115F, 0x1160, 0x3164, 0xFFA0, 0x034F}
)
"""Letters and marks that show nothing: variation selectors, Hangul fillers, the grapheme joiner."""
_REFUSED = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Controls, format characters (bidi controls, zero-width), unassigned, private use, surrogates, line separators."""


def unwritable(value: Json, *, depth: int = 0) -> str:
    """Say what in a raw value is never accepted, whatever the schema; empty if nothing is."""
    if depth > MAX_DEPTH:
        return f"it is nested deeper than {MAX_DEPTH} levels"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return next((wrong for item in value if (wrong := unwritable(item, depth=depth + 1))), "")
    if isinstance(value, dict):
        parts = [*value, *value.values()]
        return next((wrong for item in parts if (wrong := unwritable(item, depth=depth + 1))), "")
    return ""


def _text(text: str) -> str:
    if len(text) > MAX_TEXT:
        return f"it is {len(text)} characters long (at most {MAX_TEXT})"
    for character in text:
        if character in "\n\t":
            continue
        if unicodedata.category(character) in _REFUSED or ord(character) in _HIDDEN:
            return f"it holds U+{ord(character):04X}, a character that cannot be seen or shows other text than it is"
    return ""


def looks_secret(name: str) -> bool:
    """Whether a value under this name must not be repeated to anybody."""
    return bool(_SECRET_NAME.search(name)) and not _ABOUT_SECRET.search(name)


def shown(value: object) -> str:
    """Write a value for people: escaped to ASCII, and cut."""
    text = ascii(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
