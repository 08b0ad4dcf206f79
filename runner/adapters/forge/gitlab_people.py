"""People of a GitLab project: whom a name means, who has how much to do, and who is assigned to an issue.

Only members can be assigned, on the free tier one for each issue. GitLab notes down every change of assignees, which
is how we know that somebody was there once: an issue that was ever assigned is never assigned by us.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from runner.adapters.forge.gitlab_seen import Seen
from runner.adapters.gitlab_asking import Asking
from runner.errors import OperatorError, RequestError
from runner.ports.forge import IssueId, PersonId

_PAGE = 100
_GUEST, _PLANNER = 10, 15
"""The least access level of somebody who can read issues, and so be assigned to one; and to a confidential one."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}(?:/[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}){0,20}")
"""A user's name, or the path of a group."""
_NOTED = re.compile(r"assigned to |unassigned |reassigned to |changed assignee|removed assignee")
"""How GitLab's own notes on an issue begin that tell of its assignees."""


def was_assigned(row: Mapping[str, Any], notes: Iterable[Any]) -> bool:
    """Whether somebody is assigned to an issue, or once was, by its row and all of its notes."""
    return bool(row.get("assignees")) or any(note.system and _NOTED.match(note.body) for note in notes)


class Assigning:
    """The part of the forge about assignees."""

    _asking: Asking
    _bot: str
    _seen: Seen
    _listed: bool

    def __init__(self) -> None:
        self._busy: Counter[str] | None = None

    @property
    def _project(self) -> Any:
        raise NotImplementedError

    def _found(self, issue: IssueId) -> dict[str, Any]:
        raise NotImplementedError

    def _change(self, issue: IssueId, given: dict[str, Any]) -> None:
        raise NotImplementedError

    def members(self, people: Iterable[PersonId], *, lately: bool = False) -> Mapping[PersonId, str]:
        """The active members among some people, with their accounts."""
        raise NotImplementedError

    def people(self, name: str) -> tuple[PersonId, ...]:
        """The member of that name, or the members of the group at that path who are members of the project too."""
        bare = name.removeprefix("@")
        if not _NAME.fullmatch(bare):
            return ()
        person = self._member(bare)
        if person:
            return (person,)
        inside = {int(one["id"]) for one in self._group(bare)}
        return tuple(sorted(PersonId(one) for one, number in self._members().items() if number in inside))

    def _group(self, path: str) -> list[Any]:
        """The members of a group; one that is not there, or that the token may not see, has none."""
        address = f"/groups/{quote(path, safe='')}/members/all"
        doing, client = f"asking who is in the group {path}", self._asking.client
        try:
            found = self._asking.read(
                doing, lambda: client.http_list(address, get_all=True, per_page=_PAGE), missing="there is no such group"
            )
        except (RequestError, OperatorError):
            return []
        return list(found)

    def _members(self, query: str = "", *, least: int = _GUEST) -> dict[str, int]:
        """The ids of active members of at least this level, also through a group, by user name; never the runner's."""
        project, wanted = self._project, {"query": query} if query else {}
        found = self._asking.read(
            "asking who is a member", lambda: project.members_all.list(get_all=True, per_page=_PAGE, **wanted)
        )
        able = {str(one.username): int(one.id) for one in found if one.state == "active" and one.access_level >= least}
        able.pop(self._bot, None)
        return able

    def _member(self, name: str) -> PersonId | None:
        """The member who is called so; GitLab takes upper and lower case for the same."""
        return next((PersonId(one) for one in self._members(name) if one.lower() == name.lower()), None)

    def load(self, people: Collection[PersonId]) -> Mapping[PersonId, int]:
        """Count the open issues of each; those that were just listed are not listed again."""
        if self._busy is None:
            found = self._seen.open() if self._listed else self._assigned()
            self._busy = Counter(one["username"] for row in found for one in row["assignees"])
        busy = self._busy
        return {person: busy[person] for person in people}

    def _assigned(self) -> list[Mapping[str, Any]]:
        """Every open issue that somebody is assigned to."""
        ask = partial(self._project.issues.list, get_all=True, per_page=_PAGE, state="opened", assignee_id="Any")
        return [row.attributes for row in self._asking.read("asking who has how much to do", ask)]

    def assign(self, issue: IssueId, person: PersonId) -> None:
        """Assign a member, if nobody is assigned when it is looked at once more, right before it is written.

        Raises:
            RequestError: if that person is no member of the project.
        """
        number = self.members([person], lately=True).get(person)
        if number is None:
            hint = "correct the owner in the runbook's header, or let that person into the project"
            raise RequestError(f"assigning issue {issue}", f"{person} is no member of the project", hint=hint)
        row = self._found(issue)
        if row["assignees"]:
            return
        if row["confidential"] and person not in self._members(person, least=_PLANNER):
            # To be assigned would let them read it.
            raise RequestError(f"assigning issue {issue}", f"{person} may not read it", hint="let a person decide")
        self._change(issue, {"assignee_ids": [int(number)]})
        if self._busy is not None:
            self._busy[person] += 1
