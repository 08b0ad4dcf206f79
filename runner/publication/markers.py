"""Markers: the invisible last line by which one of our comments is found again; it counts in our comments only."""

from __future__ import annotations

import re
from enum import Enum

from runner.ports.forge import Comment, Thread

_REPLY = re.compile(r"<!-- runbook:reply:(\S+) -->\Z")


class Kind(Enum):
    """The comments that a run gets for each attempt; a question, each time it asks one."""

    PLAN = "plan"
    STATUS = "status"
    QUESTION = "question"
    INTERRUPTED = "interrupted"
    LATE = "late"
    RESULT = "result"
    OWED = "owed"
    """The one reminder of the approvals that an emergency owes."""


def of(run: str, kind: Kind, attempt: int) -> str:
    """Name a run's comment of one kind and attempt."""
    return f"<!-- runbook:{_clean(run)}:{kind.value}:{attempt} -->"


def glass(run: str) -> str:
    """Name the issue that tells of what ran by break-glass."""
    return f"<!-- runbook:glass:{_clean(run)} -->"


def reply(key: str) -> str:
    """Name the one answer to a command."""
    return f"<!-- runbook:reply:{_clean(key)} -->"


def find(thread: Thread, marker: str) -> Comment | None:
    """Find our first comment that ends with this marker; what others write is not looked at."""
    return next((comment for comment in thread.comments if comment.ours and _last_line(comment) == marker), None)


def answered(thread: Thread) -> frozenset[str]:
    """List the keys of the commands that have their answer on the issue already."""
    replies = (_REPLY.match(_last_line(comment)) for comment in thread.comments if comment.ours)
    return frozenset(found[1] for found in replies if found)


def _last_line(comment: Comment) -> str:
    return comment.body.rstrip().rsplit("\n", 1)[-1]


def _clean(part: str) -> str:
    # Two hyphens or an angle bracket would end the HTML comment.
    return re.sub(r"-{2,}|[^A-Za-z0-9./:_-]", "_", part)
