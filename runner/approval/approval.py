"""An approval: one person's yes to one plan digest, as the ledger has it.

Whether it counts is `count.py`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from runner.digest import Digest
from runner.ledger.bodies import Approve, Body, Resume, Revoke
from runner.plan.run import NEW
from runner.ports.forge import CommentId, PersonId, Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One approve event. `fault` says in words why it does not count any more, and is empty while it might."""

    number: int
    by: PersonId
    at: datetime
    plan: Digest
    comment: CommentId
    verified: bool
    reason: str = ""
    fault: str = ""
    account: str = ""
    by_requester: bool = False
    """Whether its author has the requester's account, whatever either was called then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """Whose word began the next attempt of a run, in which event."""

    number: int
    by: PersonId
    verified: bool


def resumption(events: Iterable[tuple[int, str, Body]]) -> Resumption | None:
    """The newest resume of a run's events; None if it was never resumed."""
    found = [(number, body) for number, _, body in events if isinstance(body, Resume)]
    if not found:
        return None
    number, body = found[-1]
    return Resumption(number=number, by=PersonId(body.said.by), verified=body.said.verified)


def approvals(events: Iterable[tuple[int, str, Body]]) -> tuple[Approval, ...]:
    """Fold a run's events (number, time, body) into its approvals, those that count no more marked."""
    found: dict[int, Approval] = {}
    for number, time, body in events:
        if isinstance(body, Approve):
            found[number] = Approval(
                number=number,
                by=PersonId(body.said.by),
                at=datetime.fromisoformat(time),
                plan=body.plan_digest,
                comment=CommentId(body.said.comment),
                verified=body.said.verified,
                reason=body.reason,
                account=body.said.account,
            )
        elif isinstance(body, Revoke) and body.approval in found:
            found[body.approval] = replace(found[body.approval], fault="revoked")
        elif isinstance(body, Resume) and body.approval == NEW:
            found = {one.number: one for one in only_after(number, found.values())}
    return tuple(found.values())


def only_after(resumed: int, given: Iterable[Approval]) -> tuple[Approval, ...]:
    """The same approvals; those before a resume do not count for the next attempt."""
    fault = "it was given before the run was resumed, and the next attempt needs a new one"
    return tuple(replace(one, fault=fault) if one.number < resumed and not one.fault else one for one in given)


def told_apart(given: Iterable[Approval], *, requester: str) -> tuple[Approval, ...]:
    """Tell people apart by their accounts, where there are any: whoever is renamed stays one person.

    Args:
        given: in the order of their events.
        requester: the account of whoever asked; empty where there are none.
    """
    given = tuple(given)
    names = {one.account: one.by for one in given if one.account and not one.fault}
    return tuple(
        replace(
            one,
            by_requester=bool(one.account) and one.account == requester,
            fault=one.fault or _renamed(one.by, names.get(one.account, one.by)),
        )
        for one in given
    )


def _renamed(name: PersonId, now: PersonId) -> str:
    return "" if name == now else f"its author is called {now} now"


def still_said(
    given: Iterable[Approval], thread: Thread, *, elsewhere: Callable[[str], bool] = lambda _comment: False
) -> tuple[Approval, ...]:
    """Hold recorded approvals against the issue as it reads now: an edited or deleted comment says yes no more.

    `elsewhere` says of a comment's id that it is none of this issue's: such approvals are left as they are.
    """
    comments = {comment.id: comment for comment in thread.comments}
    checked = []
    for approval in given:
        comment = comments.get(approval.comment)
        if approval.fault or elsewhere(approval.comment):
            fault = approval.fault
        elif comment is None:
            fault = "its comment was deleted"
        elif comment.edited:
            fault = "its comment was edited"
        elif approval.account and comment.account != approval.account:
            fault = "its comment is of another account"
        elif comment.author != approval.by:
            fault = _renamed(approval.by, comment.author) if approval.account else "its comment is somebody else's"
        else:
            fault = ""
        checked.append(replace(approval, fault=fault))
    return tuple(checked)
