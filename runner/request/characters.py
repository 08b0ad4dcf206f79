"""Characters that people cannot see, or cannot tell apart.

What an approver reads must be what runs. Names are plain ASCII; free text may be in any language, but without
characters that hide, reorder or stand for nothing. Here, because blocks and commands refuse the same ones.
"""

from __future__ import annotations

import re
import unicodedata

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}(?:/[A-Za-z0-9][A-Za-z0-9_.-]{0,127}){0,7}")
"""A runbook's name: plain segments; never absolute, never `..`."""
PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5\u00ad")
"""Letters and symbols that are drawn as nothing."""
_WORDS = {
    "Cc": "a control character",
    "Cf": "an invisible formatting character (zero-width or text direction)",
    "Cs": "half of a surrogate pair",
    "Co": "a private-use character",
    "Cn": "a character that Unicode does not define",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u043a\u0442\u043c\u0433\u043f"
    "\u0261\u03bf\u03c1\u03bd\u03ba\u0440\u044c\u1d20\u0131\u2044\u2215\u29f8\u2571",
    "aeopcyxijsdqktmrngopvkpbvi////",
)


def hidden(text: str, *, allow: str = "") -> str:
    """Name the first character that must not be there, or return an empty text.

    Args:
        text: what somebody wrote.
        allow: control characters that are fine here, such as a newline.
    """
    for one in text:
        if " " <= one <= "~" or one in allow:
            continue
        kind = unicodedata.category(one)
        if one in _BLANK or kind in _WORDS:
            return f"U+{ord(one):04X}, {_WORDS.get(kind, 'a character that cannot be seen')}"
    return ""


def skeleton(word: str) -> str:
    """What a word seems to say to somebody who reads it: look-alike letters as ASCII, invisible ones dropped."""
    seen = "".join(one for one in unicodedata.normalize("NFKC", word) if unicodedata.category(one) != "Cf")
    return seen.casefold().translate(_LOOKALIKES)


def escaped(text: str, *, limit: int = 60) -> str:
    """Show text that somebody wrote: printable ASCII only, no back-ticks (it is shown between them), cut short."""
    shown = text if len(text) <= limit else text[:limit] + "..."
    ascii_only = shown.replace("`", "'").encode("ascii", "backslashreplace").decode()
    return "".join(one if " " <= one <= "~" else f"\\x{ord(one):02x}" for one in ascii_only)


def shown(text: str) -> str:
    """Make text safe for a terminal: what cannot be seen is written as an escape; lines and tabs stay."""
    return "".join(one if not hidden(one, allow="\n\t") else f"\\u{ord(one):04x}" for one in text)
