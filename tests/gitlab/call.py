"""One request, as the API's modules see it: who asks, for what, with which parameters; and the table of operations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import unquote

from tests.gitlab.answers import Answer, bad, forbidden, not_found
from tests.gitlab.site import Issue, Level, MergeRequest, Project, Site, Token, User

PREFIX = "/api/v4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request whose sender is known. `given` are its parameters, from the query and the body together."""

    site: Site
    method: str
    path: str
    query: Mapping[str, str]
    given: Mapping[str, Any]
    token: Token
    base: str
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def user(self) -> User:
        """Who asks."""
        return self.token.user

    @property
    def project(self) -> Project:
        """The project that the path names; one that the user is no member of is not there."""
        found = self.site.project(self.parts["id"])
        limited = self.token.project is not None and found is not None and found.id != self.token.project
        hidden = found is not None and not found.internal and self.site.level(found, self.user) is Level.NONE
        if found is None or limited or hidden:
            raise not_found("Project")
        return found

    @property
    def level(self) -> Level:
        """What the user may do in that project; where it is open to all users, strangers may do what guests may."""
        level = self.site.level(self.project, self.user)
        return max(level, Level.GUEST) if self.project.internal else level

    @property
    def issue(self) -> Issue:
        """The issue that the path names, if the user may see it."""
        iid = self.parts.get("issue_iid") or self.parts.get("noteable_id") or self.parts.get("eventable_id") or ""
        found = self.project.issues.get(int(iid)) if iid.isdigit() else None
        if found is None or not self.sees(found):
            raise not_found("Issue" if "issue_iid" in self.parts else "")
        return found

    def sees(self, issue: Issue) -> bool:
        """A confidential issue is for its author, its assignees and those who plan."""
        mine = self.user is issue.author or self.user in issue.assignees
        return not issue.confidential or mine or self.level >= Level.PLANNER

    @property
    def merge_request(self) -> MergeRequest:
        """The merge request that the path names."""
        iid = self.parts.get("merge_request_iid") or self.parts.get("noteable_id") or ""
        found = self.project.merge_requests.get(int(iid)) if iid.isdigit() else None
        if found is None:
            raise not_found()
        return found

    def needs(self, level: Level) -> None:
        """Refuse whoever is below this level."""
        if self.level < level:
            raise forbidden()

    def now(self) -> datetime:
        """The server's time."""
        return self.site.clock()

    def text(self, name: str, default: str | None = None) -> str:
        """A parameter that has to be a text."""
        value = self.given.get(name, default)
        if value is None:
            raise bad({"error": f"{name} is missing"}) if default is None else bad(f"{name} is missing")
        return str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A parameter that is true or false in one of Grape's spellings."""
        value = self.given.get(name)
        if value is None:
            return default
        return str(value).lower() in {"true", "t", "yes", "y", "on", "1"}

    def names(self, name: str) -> list[str]:
        """A list, written as an array or with commas."""
        value = self.given.get(name)
        items: Sequence[Any] = value if isinstance(value, list) else str(value).split(",") if value else []
        return [str(item).strip() for item in items if str(item).strip()]

    def people(self, name: str) -> list[User] | None:
        """Users by their ids; None if the parameter is not there. Unknown ids are left out, as GitLab does."""
        if name not in self.given:
            return None
        value = self.given[name]
        ids = value if isinstance(value, list) else [value]
        return [self.site.users[int(one)] for one in ids if str(one).isdigit() and int(one) in self.site.users]


Handler: TypeAlias = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An operation of the API, by its path in GitLab's own notation."""

    method: str
    template: str
    pattern: re.Pattern[str]
    handler: Handler


ROUTES: list[Route] = []
"""Every operation that is implemented; filled by the modules of `api/` when they are imported."""


def on(method: str, template: str) -> Callable[[Handler], Handler]:
    """Register a function for an operation, such as `GET /projects/{id}/issues`."""

    def register(handler: Handler) -> Handler:
        expression = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
        ROUTES.append(
            Route(method=method, template=template, pattern=re.compile(f"{PREFIX}{expression}"), handler=handler)
        )
        return handler

    return register


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The operation for a path (still percent-encoded), and what its holes hold."""
    for route in ROUTES:
        found = route.pattern.fullmatch(path) if route.method == method else None
        if found:
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def time(moment: datetime | None) -> str | None:
    """A time as GitLab writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
