"""Looking at how a GitLab project is set up: token, protections, members, webhooks, runners, clock. Reads alone.

The runner's own token sees most of it. Webhooks and runners are shown to maintainers only, so a second token may be
given for looking; what neither sees is Unseen, and what is asked of one place does not depend on another one's answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from runner.adapters.forge import gitlab_premises as rows
from runner.adapters.gitlab_asking import Asking, ForbiddenError
from runner.config import Settings
from runner.errors import OperatorError, OutsideError, RequestError, RunbookError
from runner.ports.forge import PersonId
from runner.ports.premises import (
    Blind,
    Delivery,
    Hook,
    Member,
    Premises,
    Protection,
    Reviews,
    Runner,
    Seen,
    Skew,
    Token,
    Unseen,
    Wanted,
)

_PAGE = 100
_LAST = 20
"""Deliveries of a webhook that are looked at; GitLab gives no more at a time."""
MOST_PEOPLE = 2000
"""Members that are read at most; those who are wanted and not among them are asked for by name."""
_GONE = "GitLab shows nothing there"
NOBODY = "Git has no token for GitLab in this clone (it forgets one that was refused)"
Found = TypeVar("Found")


class GitLabInspector:
    """The `Inspector` port at one GitLab project.

    Args:
        own: asks with the runner's token; None where there is none.
        eyes: asks with the token that looks where the runner's may not; None to look with the runner's alone.
        settings: where the project is.
        now: this machine's clock.
    """

    def __init__(
        self, own: Asking | None, *, eyes: Asking | None, settings: Settings, now: Callable[[], datetime]
    ) -> None:
        self._own, self._sees = own, eyes or own
        self._path, self._branch = settings.gitlab_project, settings.branch
        self._now = now
        self._number = 0
        self._people: dict[int, str] = {}

    @property
    def _eyes(self) -> Asking:
        if self._sees is None:
            raise OperatorError("asking GitLab", NOBODY)
        return self._sees

    def look(self, wanted: Wanted) -> Premises:
        """See everything that can be seen."""
        token, skew = self._whose()
        dead = token if isinstance(token, Unseen) and self._sees is self._own else self._opened()
        if isinstance(dead, Unseen):
            return _nothing(dead, token=token, skew=skew, wanted=wanted)
        members = _seen(lambda: self._members(wanted.people))
        return Premises(
            skew=skew,
            token=token,
            members=members,
            protections=_seen(self._protections),
            accounts=self._accounts(wanted.people, members),
            reviews=_seen(self._reviews),
            hooks=_seen(self._hooks) if wanted.hooks else None,
            runners={tag: self._runners(tag) for tag in wanted.tags},
        )

    def close(self) -> None:
        """End the connections."""
        for asking in (self._own, self._sees):
            if asking is not None:
                asking.client.session.close()

    def deliver(self, hook: int) -> int:
        """Have GitLab send a sample of a push, whether the webhook wants pushes or not."""
        doing, dead = f"having GitLab deliver to webhook {hook}", self._opened()
        if isinstance(dead, Unseen):
            raise OperatorError(doing, dead.why)
        path = f"/projects/{self._number}/hooks/{hook}/test/push_events"
        self._eyes.write(doing, lambda: self._eyes.client.http_post(path), missing="there is no such webhook")
        sent = self._deliveries(hook)
        return sent[0].status if sent else 0

    def _whose(self) -> tuple[Seen[Token], Seen[Skew]]:
        """Whose token it is, and from the same answer what time it is there."""
        own = self._own
        if own is None:
            nobody = Unseen(why=NOBODY, blind=Blind.NOBODY)
            return nobody, nobody
        before = self._now()
        me = _seen(lambda: _get(own, "/user", doing="asking GitLab whose token it is"))
        skew = rows.skew(own.date, before=before, after=self._now())
        if isinstance(me, Unseen):
            # A refusal is GitLab's own and has its time; whoever says that GitLab is away is not GitLab.
            return me, me if me.blind is Blind.AWAY else skew
        about = _seen(lambda: _get(own, "/personal_access_tokens/self", doing="asking a token about itself"))
        return _seen(lambda: rows.token(me, about)), skew

    def _opened(self) -> Unseen | None:
        """Find the project's number and keep it, or say why it cannot be seen."""
        missing, ask = (
            f"there is no project {self._path} for this token",
            partial(self._eyes.client.projects.get, self._path),
        )
        found = _seen(lambda: int(self._eyes.read("opening the project", ask, missing=missing).id))
        if isinstance(found, Unseen):
            return found
        self._number = found
        return None

    def _list(self, path: str, doing: str, **given: Any) -> list[dict[str, Any]]:
        """All rows of a list of the project."""
        where = f"/projects/{self._number}/{path}"

        def ask() -> list[dict[str, Any]]:
            return [dict(one) for one in self._eyes.client.http_list(where, iterator=True, per_page=_PAGE, **given)]

        return self._eyes.read(doing, ask, missing=_GONE)

    def _protections(self) -> tuple[Protection, ...]:
        found = self._list("protected_branches", "reading the protected branches")
        return tuple(rows.protection(one, people=self._people) for one in found)

    def _members(self, people: frozenset[PersonId]) -> tuple[Member, ...]:
        where = f"/projects/{self._number}/members/all"

        def ask() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = []
            for one in self._eyes.client.http_list(where, iterator=True, per_page=_PAGE):
                found.append(dict(one))
                if len(found) >= MOST_PEOPLE:
                    break
            return found

        found = self._eyes.read("reading the members", ask)
        if len(found) >= MOST_PEOPLE:
            for name in sorted(people - {one["username"] for one in found}):
                found += self._list("members/all", f"asking for {name}", query=name)
        self._people = {int(one["id"]): str(one["username"]) for one in found}
        return tuple(rows.member(one) for one in found)

    def _accounts(
        self, people: frozenset[PersonId], members: Seen[tuple[Member, ...]]
    ) -> Mapping[PersonId, Seen[bool | None]]:
        """Of those who are no members: whether there is somebody of that name, and not blocked."""
        if isinstance(members, Unseen):
            return {}
        strangers = sorted(people - {one.name for one in members})
        return {name: _seen(partial(self._account, name)) for name in strangers}

    def _account(self, name: PersonId) -> bool | None:
        ask = partial(self._eyes.client.http_list, "/users", username=name, get_all=True)
        found = [dict(one) for one in self._eyes.read(f"asking who {name} is", ask)]
        states = [one.get("state") for one in found if str(one.get("username")).casefold() == name.casefold()]
        return states[0] == "active" if states else None

    def _reviews(self) -> Reviews | None:
        """The rules for merge requests; None where the tier has none."""
        try:
            settings = _get(self._eyes, f"/projects/{self._number}/approvals", doing="reading how merges are approved")
            rules = self._list("approval_rules", "reading the approval rules")
        except RequestError:
            return None
        return rows.reviews(rules, settings, branch=self._branch)

    def _hooks(self) -> tuple[Hook, ...]:
        found = self._list("hooks", "reading the webhooks")
        return tuple(rows.hook(one, deliveries=self._seen_deliveries(int(one["id"]))) for one in found)

    def _seen_deliveries(self, hook: int) -> Seen[tuple[Delivery, ...]]:
        return _seen(lambda: self._deliveries(hook))

    def _deliveries(self, hook: int) -> tuple[Delivery, ...]:
        path = f"/projects/{self._number}/hooks/{hook}/events"
        ask = partial(self._eyes.client.http_list, path, get_all=False, page=1, per_page=_LAST)
        found = self._eyes.read("reading what was delivered", ask, missing=_GONE)
        return tuple(rows.delivery(dict(one)) for one in found)

    def _runners(self, tag: str) -> Seen[tuple[Runner, ...]]:
        return _seen(lambda: tuple(map(self._runner, self._list("runners", "reading runners", tag_list=tag))))

    def _runner(self, row: dict[str, Any]) -> Runner:
        path = f"/runners/{int(row['id'])}"
        return rows.runner(row, _seen(lambda: _get(self._eyes, path, doing="reading a runner")))


def _get(asking: Asking, path: str, *, doing: str) -> dict[str, Any]:
    found = asking.read(doing, lambda: asking.client.http_get(path), missing=_GONE)
    return found if isinstance(found, dict) else {}


def _seen(look: Callable[[], Found]) -> Seen[Found]:
    """What was found, or why nothing was: nobody answered (or in words of its own), no right, or no token."""
    try:
        return look()
    except OutsideError as error:
        return _unseen(error, Blind.AWAY)
    except ForbiddenError as error:
        return Unseen(why=f"{error.doing}: GitLab does not show it to this token's role (403)", blind=Blind.RIGHT)
    except RequestError as error:
        return _unseen(error, Blind.RIGHT)
    except OperatorError as error:
        return _unseen(error, Blind.NOBODY)
    except (KeyError, TypeError, ValueError) as error:
        return Unseen(why=f"GitLab's answer is not as its documentation says ({type(error).__name__})")


def _unseen(error: RunbookError, blind: Blind) -> Unseen:
    return Unseen(why=str(error), blind=blind)


def _nothing(dead: Unseen, *, token: Seen[Token], skew: Seen[Skew], wanted: Wanted) -> Premises:
    """What is seen where the token is refused, the project is not shown, or nobody answers."""
    return Premises(
        skew=skew,
        token=token,
        members=dead,
        protections=dead,
        reviews=dead,
        hooks=dead if wanted.hooks else None,
        runners=dict.fromkeys(wanted.tags, dead),
    )
