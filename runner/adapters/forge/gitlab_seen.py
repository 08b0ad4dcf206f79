"""What one process has seen of a GitLab project, and when: so that GitLab is asked for what has changed, and no more.

Open issues are listed whole at first and now and then; in between one request brings everything that was updated since,
open or closed, however many issues there are. Notes are read again when their issue was updated. Whatever takes effect
is judged on what was read afresh: see `Forge.thread(fresh=True)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from runner.adapters.forge.gitlab_review import Heads
from runner.digest import Digest
from runner.ports.forge import Comment, FreezePeriod, IssueId, PersonId

WHOLE_EVERY = 900.0
"""Seconds until all open issues are listed again: one that was deleted, or hidden from us, is updated nowhere."""
OVERLAP = timedelta(minutes=2)
"""GitLab stamps a change a little before anybody can read it; as much as this is asked for twice."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """The comments of an issue as they were read when GitLab said that it was updated at `stamp`.

    `rewritten` says that GitLab has noted a change of the description, `assigned` that it has of the assignees.
    """

    stamp: str
    comments: tuple[Comment, ...]
    rewritten: bool
    assigned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """Active members with their accounts; `all` says that there are no others. `at` is of the monotonic clock."""

    at: float = -math.inf
    accounts: Mapping[PersonId, str] = field(default_factory=dict)
    all: bool = False


@dataclass(slots=True)
class Seen:
    """Who this process is at a project, where that is, and what it has read there.

    `read` is when an issue was read by itself, `asked` and `whole` when GitLab was asked for changes and for all issues
    that are open, in monotonic seconds; `newest` is the latest update that it told of, by its own clock.
    Freeze periods stand with the moment at which they were read, and are read again when that is long ago or a start
    has to be judged.
    """

    me: str = ""
    account: str = ""
    number: int = 0
    web: str = ""
    rows: dict[IssueId, Row] = field(default_factory=dict)
    read: dict[IssueId, float] = field(default_factory=dict)
    notes: dict[IssueId, Notes] = field(default_factory=dict)
    members: Members = field(default_factory=Members)
    uploads: dict[Digest, str] = field(default_factory=dict)
    heads: Heads = field(default_factory=dict)
    freezes: tuple[float, tuple[FreezePeriod, ...]] | None = None
    asked: float = -math.inf
    whole: float = -math.inf
    newest: datetime | None = None
    moving: bool = False
    """Whether issues may have been closed while they were listed, so that one may have slipped off a page."""

    def bring_up_to_date(self, ask: Callable[[Mapping[str, str]], Iterable[Row]], *, now: float) -> None:
        """Learn what has changed.

        Args:
            ask: lists issues by a filter, oldest first.
            now: monotonic seconds.
        """
        before = self.newest
        if now - self.whole >= WHOLE_EVERY or before is None:
            self._all_open(ask({"state": "opened"}))
            self.whole, self.moving = now, True
        if before is not None:
            self._changed(ask({"state": "all", "updated_after": (before - OVERLAP).isoformat()}))
        self.asked = now

    def _all_open(self, found: Iterable[Row]) -> None:
        fresh = {_issue(row): row for row in found}
        gone = [issue for issue, row in self.rows.items() if row["state"] == "opened" and issue not in fresh]
        for issue in gone:
            del self.rows[issue]
        self.learn(*fresh.values())

    def _changed(self, found: Iterable[Row]) -> None:
        closed = False
        for row in found:
            known = self.rows.get(_issue(row))
            closed |= row["state"] != "opened" and known is not None and known["state"] == "opened"
            # Closed issues that nobody asked for are not kept: there is no end of them.
            if row["state"] == "opened" or known is not None:
                self.learn(row)
            self._told(row)
        if closed and self.moving:
            self.whole = -math.inf
        self.moving = False

    def row(self, issue: IssueId, *, since: float) -> Row | None:
        """What is known of an issue, if it was read or asked about since."""
        return self.rows.get(issue) if max(self.asked, self.read.get(issue, -math.inf)) >= since else None

    def is_new(self, issue: IssueId) -> bool:
        """Whether an issue that is known was updated since its notes were read."""
        notes = self.notes.get(issue)
        return notes is None or notes.stamp != self.rows[issue]["updated_at"]

    def open(self) -> list[Row]:
        """Every open issue that is known."""
        return [row for row in self.rows.values() if row["state"] == "opened"]

    def learn(self, *found: Row) -> None:
        """Take in rows as GitLab shows them now."""
        for row in found:
            self.rows[_issue(row)] = row
            self._told(row)

    def _told(self, row: Row) -> None:
        updated = datetime.fromisoformat(row["updated_at"])
        self.newest = max(self.newest or updated, updated)

    def wrote(self, issue: IssueId, comment: Comment) -> None:
        """Add a comment of our own, or its new text, to what was read; the next update has it read again."""
        known = self.notes.get(issue)
        if known is not None:
            others = tuple(one for one in known.comments if one.id != comment.id)
            changed = len(others) < len(known.comments)
            comments = tuple(comment if one.id == comment.id else one for one in known.comments)
            self.notes[issue] = replace(known, comments=comments if changed else (*others, comment))

    def changed(self, issue: IssueId, answer: Row) -> None:
        """Take over what a change of ours may have changed: words are believed only together with their notes."""
        known = self.rows.get(issue)
        if known is not None:
            self.rows[issue] = known | {name: answer[name] for name in ("labels", "state", "assignees")}


_SEEN: dict[tuple[str, str, str], Seen] = {}
"""By server, project and token, for as long as the process lives."""


def seen_at(server: str, project: str, token: str) -> Seen:
    """What this process has seen of a project with this token."""
    return _SEEN.setdefault((server, project, token), Seen())


def _issue(row: Row) -> IssueId:
    return IssueId(str(row["iid"]))
