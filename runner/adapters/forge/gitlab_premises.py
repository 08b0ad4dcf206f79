"""GitLab's rows about how a project is set up, in the words of the port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from runner.ports.forge import PersonId
from runner.ports.premises import (
    Access,
    Delivery,
    Hook,
    Member,
    Protection,
    Reviews,
    Runner,
    Seen,
    Skew,
    Token,
    Unseen,
)

_ENDING = "_events"
Row = Mapping[str, Any]


def token(me: Row, about: Seen[Row]) -> Token:
    """Whose token it is, and what it says about itself."""
    owner, admin = PersonId(str(me["username"])), bool(me.get("is_admin"))
    if isinstance(about, Unseen):
        return Token(owner=owner, scopes=about, expires=about, admin=admin)
    ends = about.get("expires_at")
    scopes = frozenset(str(one) for one in about.get("scopes") or ())
    return Token(owner=owner, scopes=scopes, expires=date.fromisoformat(ends) if ends else None, admin=admin)


def skew(header: str, *, before: datetime, after: datetime) -> Seen[Skew]:
    """Our clock beside the time in an answer, which was written somewhere between two readings of ours."""
    try:
        there = parsedate_to_datetime(header)
    except ValueError:
        return Unseen(why="GitLab's answer does not say what time it is there")
    # It counts whole seconds: on average half of one has passed.
    middle = before + (after - before) / 2 - timedelta(seconds=0.5)
    return Skew(seconds=(middle - there).total_seconds(), beside="GitLab")


def protection(row: Row, *, people: Mapping[int, str]) -> Protection:
    """One protected branch or pattern."""
    return Protection(
        pattern=str(row["name"]),
        push=tuple(_access(one, people) for one in row.get("push_access_levels") or ()),
        merge=tuple(_access(one, people) for one in row.get("merge_access_levels") or ()),
        force=bool(row.get("allow_force_push")),
        owners=bool(row.get("code_owner_approval_required")),
    )


def _access(row: Row, people: Mapping[int, str]) -> Access:
    if (user := row.get("user_id")) is not None:
        return Access(who=people.get(int(user), f"user {user}"))
    for kind in ("group", "deploy_key"):
        if (number := row.get(f"{kind}_id")) is not None:
            return Access(who=f"{kind.replace('_', ' ')} {number}")
    return Access(level=int(row.get("access_level") or 0))


def member(row: Row) -> Member:
    """One member."""
    return Member(
        name=PersonId(str(row["username"])), level=int(row["access_level"]), active=row.get("state") == "active"
    )


def hook(row: Row, *, deliveries: Seen[tuple[Delivery, ...]]) -> Hook:
    """One webhook."""
    return Hook(
        number=int(row["id"]),
        url=str(row["url"]),
        events=frozenset(name.removesuffix(_ENDING) for name, on in row.items() if name.endswith(_ENDING) and on),
        verified=bool(row.get("enable_ssl_verification")),
        signed=row.get("signing_token_present"),
        secret=row.get("token_present"),
        state=str(row.get("alert_status") or "executable"),
        deliveries=deliveries,
    )


def delivery(row: Row) -> Delivery:
    """One delivery; where there was no answer GitLab writes words instead of a status."""
    status = str(row.get("response_status") or "")
    return Delivery(trigger=str(row.get("trigger") or ""), status=int(status) if status.isdigit() else 0)


def runner(row: Row, details: Seen[Row]) -> Runner:
    """One GitLab Runner, from a list, and what is told of it alone."""
    more = {} if isinstance(details, Unseen) else details
    level = more.get("access_level")
    return Runner(
        name=str(row.get("description") or row.get("name") or row["id"]),
        online=row.get("status") == "online",
        paused=bool(row.get("paused")),
        protected=level == "ref_protected" if level else None,
        untagged=more.get("run_untagged"),
    )


def reviews(rules: Iterable[Row], settings: Row, *, branch: str) -> Reviews:
    """What a merge request into a branch needs: the rules that speak of it, or of every branch."""
    required = [int(one.get("approvals_required") or 0) for one in rules if _speaks(one, branch)]
    # On a project that never changed it, GitLab lets nobody approve their own.
    return Reviews(
        required=max(required, default=0), author_counts=bool(settings.get("merge_requests_author_approval"))
    )


def _speaks(rule: Row, branch: str) -> bool:
    branches = rule.get("protected_branches") or ()
    return not branches or any(one.get("name") == branch for one in branches)
