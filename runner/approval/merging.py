"""The merge as approval: what a plan that proposes a change needs beside its approvals, and who gave those.

Pure. Whoever merged, and whoever approved in the review, is counted by the same rule as any other yes; nothing here
makes an approval of a merge, it only says what keeps one from being enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from runner.approval.approval import Approval
from runner.plan.plan import Plan
from runner.ports.forge import CommentId, PersonId
from runner.ports.review import Review

PLACE = "review/"
"""How the place of a yes begins that was said in a review and not in a comment."""


class Stage(Enum):
    """Where a proposal stands."""

    ABSENT = "absent"
    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a plan's proposal stands, and all that is wrong with it, in words."""

    stage: Stage = Stage.ABSENT
    where: str = ""
    by: str = ""
    wrong: tuple[str, ...] = ()


ABSENT = Standing()
"""Not put up for review, or nothing that could be."""


def place(review: str, person: str) -> CommentId:
    """Where somebody's yes in a review was said, for the record."""
    return CommentId(f"{PLACE}{review}/{person}")


def in_review(comment: str) -> bool:
    """Whether a yes was said in a review."""
    return comment.startswith(PLACE)


def refusals(plan: Plan, standing: Standing) -> list[str]:
    """Say what rules a plan out, whatever else is approved; nothing for a plan that proposes nothing."""
    if plan.proposal is None:
        return ["it may propose a change to files, and proposes none"] if plan.proposes else []
    if standing.stage is Stage.CLOSED:
        by = f" by {standing.by}" if standing.by else ""
        return [f"its change ({standing.where}) was closed{by} and is not merged"]
    return list(standing.wrong)


def waits(plan: Plan, standing: Standing) -> list[str]:
    """Say what a plan waits for before its approvals count at all."""
    if plan.proposal is None or standing.stage is Stage.MERGED:
        return []
    if standing.stage is Stage.OPEN:
        return [f"its approval is the merge of its change: {standing.where}"]
    return ["its change has not been put up for review yet"]


def insufficient(plan: Plan, standing: Standing, *, missing: Sequence[str]) -> tuple[str, ...]:
    """Say why a merge that has happened does not suffice: it is not given twice, so there is nothing to wait for."""
    if plan.proposal is None or standing.stage is not Stage.MERGED or not missing:
        return ()
    who = standing.by or "somebody whom nothing proves"
    return (f"its change was merged by {who}, and that is not the approval that policy asks for", *missing)


def still_merged(given: Iterable[Approval], review: Review | None) -> tuple[Approval, ...]:
    """Hold approvals that were given in a review against it as it reads now; others are left as they are."""
    said: set[PersonId] = set()
    if review and review.merge:
        said = {*review.approved_by, review.merge.by}
    fault = "it does not stand in the review any more"
    return tuple(
        replace(one, fault=fault) if in_review(one.comment) and one.by not in said and not one.fault else one
        for one in given
    )
