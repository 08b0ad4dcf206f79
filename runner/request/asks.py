"""Everything in a comment that asks for something, in order and numbered.

A comment may hold commands and fenced `runbook` blocks. They share one numbering, because the number is the last part
of a request key: two asks of one comment never have the same. What an ask means is read by `command` and `block`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from runner.digest import Digest, sha256
from runner.ports.forge import Comment
from runner.request.characters import skeleton
from runner.request.markdown import Fenced, Words, pieces

LARGEST_BODY = 1_000_000
"""Characters; GitLab's own limit."""
MOST = 20
"""Asks that one comment may hold; with more, none counts."""
LONG = 10_000
"""Characters from which a comment is read once and remembered."""
REMEMBERED = 256
"""Long comments that are remembered."""
TRIGGER = "/runbook"
INFO = "runbook"

_alike = lru_cache(maxsize=4096)(skeleton)
_HIDDEN_BLOCK = re.compile(rf"^(?:`{{3,}}|~{{3,}}){INFO}[ \t]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that begins with the trigger or the bot's name; `words` follow it, `doubt` says why it may be none."""

    ordinal: int
    line: int
    words: str
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced `runbook` block. `line` is the number of its first line inside the fence."""

    ordinal: int
    line: int
    text: str
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TooMuch:
    """The comment is refused whole."""

    ordinal: int
    why: str
    hint: str


_LONG_ONES: dict[tuple[str, Digest], tuple[Line | Block, ...] | TooMuch] = {}
"""What was found in long comments, by the bot's name and the digest of the text: every round reads them again."""


def asks(comment: Comment, *, bot: str) -> tuple[Line | Block, ...] | TooMuch:
    """Find the asks of a comment. An edited comment and the runner's own have none.

    Args:
        comment: as the forge gives it now.
        bot: the runner's name, without `@`.
    """
    if comment.edited or comment.ours:
        return ()
    if len(comment.body) > LARGEST_BODY:
        return TooMuch(
            ordinal=1,
            why=f"the comment has more than {LARGEST_BODY:,} characters",
            hint="write the command in a comment of its own",
        )
    if len(comment.body) < LONG:
        return _read(comment.body, bot=bot)
    key = (bot, sha256(comment.body.encode(errors="surrogatepass")))
    if key not in _LONG_ONES:
        if len(_LONG_ONES) >= REMEMBERED:
            _LONG_ONES.clear()
        _LONG_ONES[key] = _read(comment.body, bot=bot)
    return _LONG_ONES[key]


def _read(body: str, *, bot: str) -> tuple[Line | Block, ...] | TooMuch:
    found: list[Line | Block] = []
    for one in _found(body, (TRIGGER, f"@{bot}")):
        found.append(one)
        if len(found) > MOST:
            return TooMuch(
                ordinal=1,
                why=f"the comment holds more than {MOST} commands, so none of them counts",
                hint="write fewer, in several comments",
            )
    return tuple(found)


def _found(body: str, triggers: tuple[str, ...]) -> Iterator[Line | Block]:
    ordinal = 1
    for piece in pieces(body):
        one = _block(piece, ordinal) or _line(piece, ordinal, triggers)
        if one:
            ordinal += 1
            yield one


def _block(piece: Words | Fenced, ordinal: int) -> Block | None:
    if isinstance(piece, Words):
        if not piece.doubt or not _HIDDEN_BLOCK.match(piece.text):
            return None
        return Block(ordinal=ordinal, line=piece.number, text="", doubt=piece.doubt)
    if piece.info != INFO:
        return None
    doubt = "" if piece.closed else "the block is not closed"
    return Block(ordinal=ordinal, line=piece.number + 1, text=piece.text, doubt=doubt)


def _line(piece: Words | Fenced, ordinal: int, triggers: tuple[str, ...]) -> Line | None:
    if isinstance(piece, Fenced):
        return None
    text = piece.text.lstrip(" ")
    first = re.split(r"\s", text, maxsplit=1)[0]
    words = text[len(first) :].strip(" \t")
    if first in triggers:
        doubt = piece.doubt or ("it is indented" if text != piece.text else "")
        return Line(ordinal=ordinal, line=piece.number, words=words, doubt=doubt)
    if len(first) <= 2 * max(map(len, triggers)) and _alike(first) in {_alike(one) for one in triggers}:
        doubt = f"it begins with something that looks like {triggers[0]} but is written with other characters"
        return Line(ordinal=ordinal, line=piece.number, words=words, doubt=doubt)
    return None
