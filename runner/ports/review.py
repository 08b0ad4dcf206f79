"""Reviews: where people look at a proposed change to files in Git, and merge it or do not.

A GitLab merge request is one; on plain Git a branch is, and whatever the protected branch holds of it. A review says
what it can prove about who merged; whether that suffices is policy, and whether what was merged is what was planned is
judged by whoever has the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NewType, Protocol

from runner.ports.forge import Forge, IssueId, PersonId, Proof

NOBODY = PersonId("")
ReviewId = NewType("ReviewId", str)
"""What people call it: `!12` at GitLab, the branch's name on plain Git."""


class ReviewState(Enum):
    """Where a review stands."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"
    """Closed without having been merged, or its branch is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """By what a review is found again.

    Attributes:
        source: the branch with the change, named after the run.
        into: the branch that it is to be merged into.
        since: the commit that it was made on.
        mark: a line of its commit's message that no other commit has.
    """

    source: str
    into: str
    since: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What to open a review with, once its branch is pushed."""

    sought: Sought
    title: str
    description: str
    issue: IssueId
    reviewers: tuple[PersonId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A commit that the branch has pointed to; `base` is where it leaves the other branch, empty if nobody says."""

    commit: str
    base: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """How it was merged: the commit on the protected branch, and who did it.

    `by` is empty, and `verified` False, where nothing proves who did; `proof` is a person's own signature, if any.
    """

    commit: str
    by: PersonId = NOBODY
    verified: bool = False
    proof: Proof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review as it reads now.

    Attributes:
        id: what people call it.
        url: how to get there: an address, or a Git command.
        state: open, merged or closed.
        heads: every commit that the branch has had, as far as that is kept, oldest first.
        approved_by: who has said yes to it there, beside the merge.
        merge: how it was merged; None unless it was.
        closed_by: who closed it, if the forge says so.
        unmet: what the forge's own rules still ask for, in words.
        accounts: the forge's own numbers of those people, where a name can change hands.
    """

    id: ReviewId
    url: str
    state: ReviewState
    heads: tuple[Head, ...] = ()
    approved_by: tuple[PersonId, ...] = ()
    merge: Merge | None = None
    closed_by: PersonId | None = None
    unmet: tuple[str, ...] = ()
    accounts: Mapping[PersonId, str] = field(default_factory=dict)


class Reviews(Protocol):
    """What is asked of the place where changes are reviewed."""

    def find(self, sought: Sought, *, fresh: bool = False) -> Review | None:
        """Find a review; None where there is none.

        Args:
            sought: which.
            fresh: ask again, whatever was read before: what it says now is about to be judged.

        Raises:
            OutsideError: if nobody answers.
        """
        ...

    def offer(self, offer: Offer) -> Review:
        """Open a review of a pushed branch; one that is there already is returned as it is.

        Raises:
            OperatorError: if the runner may not.
            OutsideError: if nobody answers: whether it is open is not known then.
        """
        ...

    def withdraw(self, review: Review, sought: Sought) -> None:
        """Close an open review without merging it; one that is not open is left alone."""
        ...


class ReviewedForge(Forge, Protocol):
    """A forge at which changes are reviewed too: every one that there is."""

    @property
    def reviews(self) -> Reviews:
        """Where changes to files in Git are reviewed."""
        ...
