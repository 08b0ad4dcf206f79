"""Who is a member of a GitLab project, itself or through a group: one request where they fit on a page.

Whoever is blocked, or waits to be let in, is none; nor is the runner itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from runner.adapters.forge.gitlab_seen import Members, Seen
from runner.adapters.gitlab_asking import Asking
from runner.ports.forge import PersonId

_PAGE = 100
LATELY = 10.0
"""Seconds for which an answer is good enough to look at, also by whoever was just woken; a start always asks again."""


class Admitting:
    """The part of the forge about members."""

    _asking: Asking
    _bot: str
    _seen: Seen
    _since: float

    @property
    def _project(self) -> Any:
        raise NotImplementedError

    def is_member(self, person: PersonId, *, account: str = "") -> bool:
        """Whether this person is an active member, also through a group; the runner itself is none.

        Raises:
            OutsideError: if GitLab does not answer.
        """
        found = self.members([person])
        return person in found and account in {"", found[person]}

    def members(self, people: Iterable[PersonId], *, lately: bool = False) -> Mapping[PersonId, str]:
        """The active members among some people, with their accounts.

        Raises:
            OutsideError: if GitLab does not answer.
        """
        wanted = frozenset(people) - {self._bot}
        if not wanted:
            return {}
        known = self._seen.members
        if not lately or known.at < min(self._since, time.monotonic() - LATELY):
            known = self._seen.members = self._first_page()
        if known.all:
            return {person: known.accounts[person] for person in wanted if person in known.accounts}
        return {person: account for person in wanted if (account := self._account(person))}

    def _first_page(self) -> Members:
        """All members, or nobody where they do not fit on a page."""
        project = self._project

        def ask() -> Members:
            at = time.monotonic()
            # A page may be short without being the last one: only the link to the next one tells.
            first = project.members_all.list(iterator=True, per_page=_PAGE)
            if first.next_page is not None:
                return Members(at=at)
            return Members(at=at, accounts=_active(one.attributes for one in first), all=True)

        return self._asking.read("asking who is a member", ask)

    def _account(self, person: PersonId) -> str:
        """The account of one member; empty for everybody else."""
        ask = partial(self._project.members_all.list, query=person, get_all=True, per_page=_PAGE)
        found = self._asking.read(f"asking whether {person} is a member", ask)
        return _active(one.attributes for one in found).get(person, "")


def _active(people: Iterable[Mapping[str, Any]]) -> dict[PersonId, str]:
    """Those who may do anything, with their accounts."""
    able = (one for one in people if one["state"] == "active" and one["access_level"] > 0)
    return {PersonId(one["username"]): str(one["id"]) for one in able}
