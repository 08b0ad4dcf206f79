"""GitLab's rows in the words of the port: issues, notes, people; and what GitLab can keep of a text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from runner.errors import RequestError
from runner.ports.forge import Comment, CommentId, Issue, IssueId, PersonId

LONGEST = 1_000_000
"""Characters of a note or description that GitLab takes."""
_DIGITS = 9


def description(row: dict[str, Any], *, bot: str, edited: bool) -> Comment:
    """An issue's description, which is its comment 0."""
    issue, author = IssueId(str(row["iid"])), row["author"]["username"]
    return Comment(
        id=CommentId(f"{issue}/0"),
        issue=issue,
        author=PersonId(author),
        body=row["description"] or "",
        created=datetime.fromisoformat(row["created_at"]),
        verified=True,
        edited=edited,
        ours=author == bot,
        account=str(row["author"]["id"]),
    )


def comment(issue: IssueId, row: dict[str, Any], *, bot: str) -> Comment:
    """A note; one that was changed since it was written is an edited comment."""
    author = row["author"]["username"]
    return Comment(
        id=CommentId(f"{issue}/{row['id']}"),
        issue=issue,
        author=PersonId(author),
        body=row["body"],
        created=datetime.fromisoformat(row["created_at"]),
        verified=True,
        edited=row["updated_at"] != row["created_at"],
        ours=author == bot,
        account=str(row["author"]["id"]),
    )


def issue(row: dict[str, Any]) -> Issue:
    """An issue without its notes."""
    return Issue(
        id=IssueId(str(row["iid"])),
        title=row["title"],
        author=PersonId(row["author"]["username"]),
        created=datetime.fromisoformat(row["created_at"]),
        open=row["state"] == "opened",
        labels=frozenset(row["labels"]),
        confidential=bool(row["confidential"]),
    )


def joined(before: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    """Two changes of one issue as one; the later one counts where they differ."""
    made = {**before, **then}
    add, remove = (_names(before, f"{word}_labels") for word in ("add", "remove"))
    more, less = (_names(then, f"{word}_labels") for word in ("add", "remove"))
    labels = {"add_labels": (add - less) | more, "remove_labels": (remove - more) | less}
    made = {name: value for name, value in made.items() if name not in labels}
    return made | {name: ",".join(sorted(names)) for name, names in labels.items() if names}


def _names(given: dict[str, Any], name: str) -> frozenset[str]:
    return frozenset(str(given.get(name, "")).split(",")) - {""}


def number(text: str) -> int:
    """An issue's number; whatever is none names no issue."""
    if not (text.isascii() and text.isdigit() and text[0] != "0" and len(text) <= _DIGITS):
        raise RequestError("reading an issue", f"there is no issue {text!a}", hint="issues are numbered from 1")
    return int(text)


def kept(text: str, doing: str, *, empty: bool = False) -> str:
    """A text that GitLab can keep."""
    if not text.strip() and not empty:
        raise RequestError(doing, "it is empty", hint="say something")
    if len(text) > LONGEST:
        raise RequestError(
            doing, f"it has {len(text):,} characters, and {LONGEST:,} is the most", hint="write less, or attach a file"
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RequestError(doing, "it holds half a character", hint="write it again") from None
    return text
