"""The forge: where people ask, approve and read.

Plain Git and GitLab are both forges. What they call a note, an IID or a user is translated by the adapter; the nouns
here are all that crosses. A forge reports what it can prove about who wrote a comment; whether that suffices is policy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NewType, Protocol

IssueId = NewType("IssueId", str)
CommentId = NewType("CommentId", str)
"""Unique in the project and ordered within its issue, for example `7/3`; comment 0 is the issue's description."""
PersonId = NewType("PersonId", str)
"""What policy calls a person: on plain Git the principal of a signing key, on GitLab the user name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A person's own signature: the exact signed bytes and the armoured SSH signature over them."""

    payload: bytes
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment, or an issue's description, as it reads now.

    `verified` says that the forge vouches for the author: a valid signature of a known key on plain Git, an
    authenticated user on GitLab. `edited` comments never count as commands. `ours` marks the runner's own comments.
    """

    id: CommentId
    issue: IssueId
    author: PersonId
    body: str
    created: datetime
    verified: bool
    edited: bool = False
    ours: bool = False
    proof: Proof | None = None
    account: str = ""
    """The forge's own number of the author, which no renaming changes; empty where a name cannot change hands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One issue without its comments."""

    id: IssueId
    title: str
    author: PersonId
    created: datetime
    open: bool
    labels: frozenset[str] = frozenset()
    confidential: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """An issue with its description and comments, oldest first; `comments[0]` is the description.

    `assigned` says that somebody is, or once was, assigned to it: who that is, is people's business from then on. It is
    also true at a forge that has no assignees.
    """

    issue: Issue
    comments: tuple[Comment, ...]
    assigned: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezePeriod:
    """A freeze that people keep at the forge itself: from each time of one cron expression to the next of another.

    `zone` is the time zone of both, as it is written there.
    """

    id: str
    start: str
    end: str
    zone: str


class Forge(Protocol):
    """What is asked of a forge. Every write is safe to repeat only behind a marker check, which the caller does."""

    @property
    def name(self) -> str:
        """`local` or `gitlab`: the first part of every request key."""
        ...

    @property
    def project(self) -> str:
        """The project's stable id at this forge."""
        ...

    def me(self) -> PersonId:
        """Who writes through this adapter.

        Raises:
            OperatorError: if no identity is configured.
        """
        ...

    def issues(self, *, only_open: bool = True) -> list[Issue]:
        """List issues, oldest first."""
        ...

    def thread(self, issue: IssueId, *, fresh: bool = False) -> Thread:
        """Read one issue whole.

        Args:
            issue: which.
            fresh: read it all again, whatever was read before: what it says now is about to be judged.

        Raises:
            RequestError: if there is no such issue.
        """
        ...

    def open_issue(self, title: str, body: str, *, labels: frozenset[str] = frozenset()) -> Issue:
        """Create an issue."""
        ...

    def comment(self, issue: IssueId, body: str, *, unless: str = "") -> Comment:
        """Add a comment.

        Args:
            issue: where.
            body: the text.
            unless: if one of our own comments there ends with this marker, nothing is added and that one is returned;
                judged at the moment of writing, as far as the forge can.
        """
        ...

    def together(self) -> AbstractContextManager[None]:
        """What is written inside may go out in one step at the end, where a forge can; repeating it stays as safe.

        Until then nobody reads it, a comment that was added has no id, and one of ours that is there already is found
        at the end. An issue that is opened inside is there at once.
        """
        ...

    @property
    def renders(self) -> bool:
        """Whether people read comments as rendered Markdown: then parts of it may be folded, and pictures are shown."""
        ...

    def attach(self, name: str, data: bytes) -> str:
        """Keep a file so that comments can show it; not part of any comment, and nobody finds it without its address.

        Args:
            name: what it is called, in ASCII letters, digits, dots, dashes and underscores.
            data: its bytes.

        Returns:
            The address to write into a comment; empty where the forge shows no files.
        """
        ...

    def edit(self, comment: Comment, body: str) -> None:
        """Replace the text of one of our own comments."""
        ...

    def label(self, issue: IssueId, *, add: frozenset[str], remove: frozenset[str]) -> None:
        """Add and remove labels in one step; a change that changes nothing writes nothing."""
        ...

    def people(self, name: str) -> tuple[PersonId, ...]:
        """Those members of the project that a name means: one person, or the people of a group that the forge keeps.

        Nobody is meant by an unknown name, nor at a forge that has no assignees.
        """
        ...

    def load(self, people: Collection[PersonId]) -> Mapping[PersonId, int]:
        """How many open issues of the project each of these people is assigned to."""
        ...

    def assign(self, issue: IssueId, person: PersonId) -> None:
        """Assign an issue to somebody, unless somebody is assigned, judged at the moment of writing as far as can be.

        A forge without assignees does nothing.

        Raises:
            RequestError: if that person is no member of the project.
        """
        ...

    def relate(self, issue: IssueId, others: Collection[IssueId]) -> frozenset[IssueId]:
        """Link an issue to others of the project; linking what is linked does nothing.

        Returns:
            Those that may be named on the issue. One that is not there, or that whoever reads the issue need not be
            able to read, is not among them, and nothing is said about it.
        """
        ...

    def freezes(self, *, fresh: bool = False) -> tuple[FreezePeriod, ...]:
        """The freeze periods that people keep at the forge; none at a forge that has no such thing.

        Args:
            fresh: ask now, whatever was read before: a start is about to be judged.

        Raises:
            RunbookError: if they cannot be read: whoever judges by them has to fail closed.
        """
        ...

    def close(self, issue: IssueId) -> None:
        """Close an issue; closing a closed one does nothing."""
        ...

    def reopen(self, issue: IssueId) -> None:
        """Reopen an issue; reopening an open one does nothing."""
        ...

    def is_member(self, person: PersonId, *, account: str = "") -> bool:
        """Whether this person may act here at all, asked afresh; no answer is never a yes.

        Args:
            person: the name.
            account: if given, the name has to be that account's now: who took it over is somebody else.

        Raises:
            OutsideError: if the forge does not answer.
        """
        ...

    def members(self, people: Iterable[PersonId], *, lately: bool = False) -> Mapping[PersonId, str]:
        """Those of some people who may act here at all, each with their account; no answer is never a yes.

        Args:
            people: whom to ask about.
            lately: what the forge said for this look will do; else it is asked again.

        Raises:
            OutsideError: if the forge does not answer.
        """
        ...

    def link(self, *, commit: str, path: str) -> str:
        """How a reader of the issue gets to a file of the evidence: a URL, or a `git show` argument."""
        ...
