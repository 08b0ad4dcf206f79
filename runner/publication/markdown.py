"""Untrusted text on its way into a comment: inside code it is shown, outside code it does not appear.

A forge turns `@name`, `#1`, `!1`, a `/command` at the start of a line and HTML into effects, and no backslash is
understood by all of them. In code spans and fences nothing has an effect: everything that we did not write goes there.
"""

from __future__ import annotations

import re
import unicodedata

SPAN = 200
"""Characters of untrusted text in a line of ours."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/%+=#-]{1,400}")
_KEPT = re.compile(r"[A-Za-z0-9._:/-]{1,400}")
_RISKY_START = re.compile(r"^(?=[/`])", re.MULTILINE)
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
"""Unicode categories that do not show, or that change how their neighbours show."""
_SHOWN_AS_THEY_ARE = {"\n", "\t"}
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Characters that are letters or symbols by category and blank on the screen."""


class Markdown(str):
    """Text that is ours or has been made harmless: the only kind that a template lets through as it is."""

    __slots__ = ()


def shown(text: str) -> str:
    """Make visible what hides: control, zero-width and bidirectional characters become escapes, colours go."""
    plain = _COLOUR.sub("", text).replace("\r\n", "\n")
    if plain.replace("\n", "").replace("\t", "").isprintable() and not any(blank in plain for blank in _BLANK):
        return plain
    return "".join(_escape(char) if _hides(char) else char for char in plain)


def code(text: str, limit: int = SPAN) -> Markdown:
    """Put a short text into a code span on one line, cut to `limit` characters."""
    # Cut before anything else: the text may be of any size, and nothing here makes it shorter by much.
    text = text.strip()
    line = shown(text[: 4 * limit]).replace("\n", " \u23ce ").replace("\t", " ").strip()
    if len(line) > limit or len(text) > 4 * limit:
        line = line[: limit - 1] + "\u2026"
    if not line:
        return Markdown("*(empty)*")
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return Markdown(f"{ticks}{pad}{line}{pad}{ticks}")


def fence(text: str, limit: int, *, info: str = "") -> Markdown:
    """Put a text into a fenced block, and say plainly how much of its end is left out.

    Args:
        text: anything.
        limit: characters that are shown at most.
        info: the fence's info string; ours, never from outside.
    """
    text = text.rstrip("\n")
    whole = shown(text[: limit + 1])
    left_out = max(len(text) - limit, len(whole) - limit, 0)
    block = _fenced(whole[:limit], info)
    if left_out:
        block += f"\n\nThe last {left_out:,} characters are left out here; the executed notebook has them."
    return Markdown(block)


def excerpt(text: str, limit: int) -> Markdown:
    """Put the first lines of a text into a fenced block, and say how many more there are.

    Args:
        text: anything.
        limit: characters that are shown at most; a single line that is longer is cut.
    """
    text = text.strip("\n").replace("\r\n", "\n")
    whole = shown(text[: limit + 1])
    if len(text) <= limit and len(whole) <= limit:
        return Markdown(_fenced(whole))
    kept = whole[:limit]
    lines, said = text.count("\n") + 1, ""
    if "\n" in kept:
        kept = kept.rpartition("\n")[0]
        more = lines - kept.count("\n") - 1
        said = f"{more:,} more line{'s' if more > 1 else ''} in the notebook."
    else:
        others = f" and {lines - 1:,} more line{'s' if lines > 2 else ''}" if lines > 1 else ""  # noqa: PLR2004
        said = f"The rest of this line{others} in the notebook."
    return Markdown(f"{_fenced(kept)}\n\n{said}")


def picture(address: str, alt: str) -> Markdown:
    """Show a picture that the forge keeps; `alt` is ours. An address that could be more than one is shown as code."""
    return Markdown(f"![{alt}]({address})") if _KEPT.fullmatch(address) else code(address)


def _fenced(text: str, info: str = "") -> str:
    # Some forges end a fence at the first line of back-ticks, however many opened it, and look for commands after it:
    # so no line begins with either.
    body = _RISKY_START.sub(" ", text)
    ticks = "`" * max(3, _longest_run(body) + 1)
    return f"{ticks}{info}\n{body}\n{ticks}" if body else "*(empty)*"


def link(where: str) -> Markdown:
    """Write a plain web address as a link, and anything else as code."""
    return Markdown(f"<{where}>") if _ADDRESS.fullmatch(where) else code(where, 400)


def _hides(char: str) -> bool:
    return char not in _SHOWN_AS_THEY_ARE and (unicodedata.category(char) in _HIDDEN or char in _BLANK)


def _escape(char: str) -> str:
    number = ord(char)
    if number <= 0xFF:  # noqa: PLR2004 - what two hex digits can write
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"  # noqa: PLR2004 - the same with four


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
