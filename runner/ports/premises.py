"""How a forge is set up, for whoever checks it: what was seen there, and what could not be seen and why.

Nothing here judges; `runner/doctor` does. Looking changes nothing at the forge, and what cannot be looked at is never
left out in silence: it is `Unseen`, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from fnmatch import fnmatchcase
from typing import Protocol, TypeAlias, TypeVar

from runner.ports.forge import PersonId

DEVELOPER, MAINTAINER = 30, 40
"""GitLab's numbers of roles; what is higher may more."""


class Blind(Enum):
    """Why something could not be seen."""

    AWAY = "nobody answered"
    RIGHT = "a right is missing"
    NOBODY = "there is no token, or it is refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """What could not be looked at. `why` is in words, without a token or an address with one."""

    why: str
    blind: Blind = Blind.AWAY


Value = TypeVar("Value")
Seen: TypeAlias = Value | Unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Whose token it is. `scopes` and `expires` are Unseen where the forge does not tell a token about itself.

    `expires` is its last day (exclusive), None for one that never ends. `admin`: it may administer the server.
    """

    owner: PersonId
    scopes: Seen[frozenset[str]]
    expires: Seen[date | None]
    admin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody with a role in the project, directly or through a group."""

    name: PersonId
    level: int
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who is let: a role (`level`; 0 is nobody), or `who`, one user, group or deploy key."""

    level: int | None = None
    who: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What protects the branches of a name or pattern. `owners`: their code owners have to approve."""

    pattern: str
    push: tuple[Access, ...]
    merge: tuple[Access, ...]
    force: bool
    owners: bool = False

    def covers(self, branch: str) -> bool:
        """Whether it protects this branch."""
        return fnmatchcase(branch, self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviews:
    """What every merge request needs by the project's own rules: so many approvals, and whether its author's counts."""

    required: int
    author_counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to deliver: what triggered it, and the status that the receiver answered with (0 for none)."""

    trigger: str
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A webhook. `signed` and `secret` are None where the forge does not say; `state` is `executable` while it is on.

    `deliveries` are the last ones, newest first.
    """

    number: int
    url: str
    events: frozenset[str]
    verified: bool
    signed: bool | None
    secret: bool | None
    state: str
    deliveries: Seen[tuple[Delivery, ...]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A machine that carries out jobs, and whether it takes some now.

    `protected`: it takes jobs of protected branches alone; `untagged`: also jobs that ask for no tag. None: not shown.
    """

    name: str
    online: bool
    paused: bool
    protected: bool | None = None
    untagged: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skew:
    """How many seconds our clock is ahead of another one (behind: negative), and whose. `rough`: to minutes at best."""

    seconds: float
    beside: str
    rough: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to look at: people by their names, whether webhooks, and runners by their tags."""

    people: frozenset[PersonId] = frozenset()
    hooks: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """What was seen. None where there is no such thing at this forge, or nobody wanted to know.

    `accounts` says of names that are no members whether there is such a person (True: an active one).
    """

    skew: Seen[Skew]
    protections: Seen[tuple[Protection, ...]] | None = None
    token: Seen[Token] | None = None
    members: Seen[tuple[Member, ...]] | None = None
    accounts: Mapping[PersonId, Seen[bool | None]] = field(default_factory=dict)
    reviews: Seen[Reviews | None] | None = None
    hooks: Seen[tuple[Hook, ...]] | None = None
    runners: Mapping[str, Seen[tuple[Runner, ...]]] = field(default_factory=dict)


class Inspector(Protocol):
    """Looks at a forge."""

    def look(self, wanted: Wanted) -> Premises:
        """See everything that can be seen; what cannot be is Unseen, and nothing is raised for it."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...

    def deliver(self, hook: int) -> int:
        """Have the forge send a test delivery to a webhook: a write, so only when somebody asked for it.

        Returns:
            The status that the receiver answered with, as the forge tells it.

        Raises:
            OperatorError: if the token may not do that.
            RequestError: if the forge could not deliver it.
            OutsideError: if the forge does not answer.
        """
        ...
