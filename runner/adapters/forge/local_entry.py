"""What one file of the plain-Git forge says: one signed entry of one issue.

`issues/00007/00000.json` opens issue 7; what follows is numbered without gaps and never changed. The signature beside
each file (`.json.sig`, namespace `runbook-comment`) covers its exact bytes, and these name project, issue, number and
the digest of the entry before: an entry copied to any other place is no entry there. Whom a signature belongs to is
decided in `local_thread`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TypeAlias

import msgspec

from runner.digest import Digest, Wire, readable
from runner.errors import IntegrityError, RequestError

ROOT = "issues"
NAMESPACE = "runbook-comment"
LARGEST_BODY = 1_000_000
"""Characters."""
LARGEST_ENTRY = 8_000_000
"""Bytes: a body of the largest size, were every character written as an escape."""
LARGEST_TITLE = 255
MOST_LABELS = 50

_NUMBER = re.compile(r"[0-9]{5,9}")
_LABEL = re.compile(r"[^\s,](?:[^,\n\r\t]{0,98}[^\s,])?")


class Entry(Wire, tag_field="kind"):
    """What every entry says. `time` is the author's own claim, in UTC; `prev` is None for an issue's first entry."""

    project: str
    issue: int
    number: int
    author: str
    time: str
    nonce: str
    prev: Digest | None

    def to_bytes(self) -> bytes:
        """The exact bytes of the file."""
        return readable(self)

    @property
    def created(self) -> datetime:
        """The time, parsed.

        Raises:
            ValueError: if it is none, or has no zone.
        """
        when = datetime.fromisoformat(self.time)
        if when.tzinfo is None:
            message = "a time without a zone"
            raise ValueError(message)
        return when.astimezone(UTC)


class Open(Entry, tag="open"):
    """The issue itself; `body` is its description."""

    title: str
    body: str
    labels: tuple[str, ...] = ()


class Remark(Entry, tag="comment"):
    """A comment."""

    body: str


class Edit(Entry, tag="edit"):
    """Other words for one's own comment, by its number."""

    comment: int
    body: str


class Label(Entry, tag="label"):
    """Labels put on and taken off."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class Close(Entry, tag="close"):
    """The issue is closed."""


class Reopen(Entry, tag="reopen"):
    """The issue is open again."""


AnyEntry: TypeAlias = Open | Remark | Edit | Label | Close | Reopen


def parse(data: bytes, *, path: str) -> AnyEntry:
    """Read one entry.

    Raises:
        IntegrityError: if the bytes are not an entry; `path` is named.
    """
    try:
        entry: AnyEntry = msgspec.json.decode(data, type=AnyEntry)
        entry.created  # noqa: B018 - a time that is none is as wrong as a missing field
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as error:
        raise IntegrityError(f"reading {path}", f"it is not an entry of an issue ({error})", hint=HINT) from error
    return entry


HINT = "somebody wrote to the branch by hand; see who with: git log -p --follow -- <that file>"


def folder(issue: int) -> str:
    """Where an issue lies."""
    return f"{ROOT}/{issue:05d}"


def file(issue: int, number: int) -> str:
    """Where an entry lies; its signature is beside it, with `.sig` added."""
    return f"{folder(issue)}/{number:05d}.json"


def number(name: str) -> int | None:
    """The number that a folder or the stem of a file stands for, or None if it is not written as numbers are here."""
    return int(name) if _NUMBER.fullmatch(name) and f"{int(name):05d}" == name else None


def checked_body(body: str, *, doing: str = "writing a comment") -> str:
    """Refuse a body that no forge would take; `doing` is what it is for.

    Raises:
        RequestError: if it is empty, too long, or not text that can be stored.
    """
    if len(body) > LARGEST_BODY:
        wrong = f"it has {len(body):,} characters, and {LARGEST_BODY:,} is the most"
        raise RequestError(doing, wrong, hint="put long texts into a file of the repository and name it")
    _storable(doing, body)
    return body


def checked_title(title: str) -> str:
    """Refuse a title that is not one short line.

    Raises:
        RequestError: if it is not.
    """
    doing = "opening an issue"
    if not title.strip() or len(title) > LARGEST_TITLE or not title.isprintable():
        hint = "say in a few words what is asked"
        raise RequestError(doing, f"the title is not one line of 1 to {LARGEST_TITLE} characters", hint=hint)
    _storable(doing, title)
    return title.strip()


def checked_labels(labels: frozenset[str]) -> tuple[str, ...]:
    """Refuse labels that could not be told apart in a list.

    Raises:
        RequestError: naming the first one.
    """
    wrong = [label for label in labels if not _LABEL.fullmatch(label) or not label.isprintable()]
    if wrong or len(labels) > MOST_LABELS:
        said = f"{min(wrong)!a} is not a label" if wrong else f"more than {MOST_LABELS} labels"
        raise RequestError("labelling an issue", said, hint="a label is at most 100 characters without commas")
    return tuple(sorted(labels))


def _storable(doing: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RequestError(doing, "it is not valid Unicode", hint="write it again as UTF-8 text") from error
