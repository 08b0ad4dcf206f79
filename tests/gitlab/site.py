"""What the stand-in holds: users, tokens, groups, projects and what is in them. State alone; `api/` speaks of it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any


class Level(IntEnum):
    """Access levels, with GitLab's numbers."""

    NONE = 0
    MINIMAL = 5
    GUEST = 10
    PLANNER = 15
    REPORTER = 20
    DEVELOPER = 30
    MAINTAINER = 40
    OWNER = 50


class Tier(Enum):
    """What the subscription buys: scoped labels that exclude each other, approval rules, protected environments."""

    FREE = "free"
    PREMIUM = "premium"


@dataclass(slots=True, kw_only=True)
class User:
    """A person, or the bot user behind a project's access token."""

    id: int
    username: str
    name: str
    state: str = "active"
    bot: bool = False

    @property
    def email(self) -> str:
        """The address in commits."""
        return f"{self.username}@example.org"


@dataclass(slots=True, kw_only=True)
class Token:
    """An access token of a user; `project` limits it to one project. `scopes` as GitLab names them."""

    value: str
    user: User
    scopes: frozenset[str] = frozenset({"api", "write_repository"})
    project: int | None = None
    expires: date | None = None
    revoked: bool = False
    name: str = "runbook"


@dataclass(slots=True, kw_only=True)
class Group:
    """A group; its members are members of its projects too."""

    id: int
    path: str
    members: dict[int, Level] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Note:
    """A comment, or what GitLab itself notes down (`system`)."""

    id: int
    body: str
    author: User
    created: datetime
    updated: datetime
    system: bool = False
    internal: bool = False


@dataclass(slots=True, kw_only=True)
class Event:
    """A label that was added or removed, or a state that changed."""

    id: int
    user: User
    created: datetime
    action: str
    label: str = ""


@dataclass(slots=True, kw_only=True)
class Issue:
    """An issue."""

    id: int
    iid: int
    title: str
    description: str
    author: User
    created: datetime
    updated: datetime
    labels: list[str] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    state: str = "opened"
    closed: datetime | None = None
    closed_by: User | None = None
    confidential: bool = False
    due: str | None = None
    notes: list[Note] = field(default_factory=list)
    label_events: list[Event] = field(default_factory=list)
    state_events: list[Event] = field(default_factory=list)
    moved_to: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a merge request's branch has held: GitLab keeps one for each push."""

    id: int
    head: str
    base: str
    created: datetime


@dataclass(slots=True, kw_only=True)
class MergeRequest:
    """A merge request; `sha` is the head of its source branch, and of what was merged once it is merged."""

    id: int
    iid: int
    title: str
    description: str
    author: User
    source: str
    target: str
    created: datetime
    updated: datetime
    labels: list[str] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    reviewers: list[User] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    approvals: dict[int, datetime] = field(default_factory=dict)
    state: str = "opened"
    sha: str = ""
    base: str = ""
    merge_commit: str | None = None
    squash_commit: str | None = None
    merged: datetime | None = None
    merged_by: User | None = None
    closed: datetime | None = None
    closed_by: User | None = None
    versions: list[Version] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Rule:
    """An approval rule of a project (Premium)."""

    id: int
    name: str
    required: int
    users: list[User]


@dataclass(slots=True, kw_only=True)
class Job:
    """A job of a pipeline. Who plays the runner in a test sets its state, trace and artifacts (a zip file)."""

    id: int
    name: str
    stage: str
    created: datetime
    tags: tuple[str, ...] = ()
    resource_group: str = ""
    status: str = "created"
    started: datetime | None = None
    finished: datetime | None = None
    failure: str | None = None
    trace: bytes = b""
    artifacts: bytes | None = None


@dataclass(slots=True, kw_only=True)
class Pipeline:
    """A pipeline; its state follows from its jobs."""

    id: int
    iid: int
    ref: str
    sha: str
    source: str
    user: User
    created: datetime
    updated: datetime
    inputs: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    cancelled: bool = False

    @property
    def status(self) -> str:
        """As GitLab sums its jobs up."""
        states = {job.status for job in self.jobs}
        for state in ("running", "pending", "created", "failed", "canceled"):
            if state in states:
                return state
        return "success" if states else "created"


@dataclass(slots=True, kw_only=True)
class Protected:
    """A protected branch: the least level that may push and merge; Level.NONE is nobody."""

    id: int
    name: str
    push: Level = Level.MAINTAINER
    merge: Level = Level.MAINTAINER
    force: bool = False
    users: list[int] = field(default_factory=list)
    """People (the bot of a token, for example) who may push beside those of that level (Premium)."""
    owners: bool = False
    """Code owners have to approve what is merged (Premium)."""


@dataclass(slots=True, kw_only=True)
class Freeze:
    """A freeze period: two cron expressions in a time zone."""

    id: int
    start: str
    end: str
    zone: str
    created: datetime


@dataclass(slots=True, kw_only=True)
class Hook:
    """A webhook. `signing` is the `whsec_...` token of a signed one, `token` the older plain secret."""

    id: int
    url: str
    events: frozenset[str]
    created: datetime
    signing: str = ""
    token: str = ""
    failures: int = 0
    disabled_until: float = 0.0
    verified: bool = True
    """GitLab checks the receiver's certificate."""


@dataclass(slots=True, kw_only=True)
class Machine:
    """A GitLab Runner that the project may use."""

    id: int
    description: str
    tags: frozenset[str] = frozenset()
    status: str = "online"
    paused: bool = False
    protected: bool = True
    """It takes jobs of protected branches alone."""
    untagged: bool = False


@dataclass(slots=True, kw_only=True)
class Project:
    """A project: `folder` is its bare repository; `moved_from` are paths that redirect here."""

    id: int
    path: str
    folder: Path
    created: datetime
    group: Group | None = None
    default_branch: str = "main"
    members: dict[int, Level] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    merge_requests: dict[int, MergeRequest] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    links: list[tuple[int, int, int, str]] = field(default_factory=list)
    """(id, source issue, target issue, type) of issues of this project that are linked."""
    uploads: dict[tuple[str, str], bytes] = field(default_factory=dict)
    pipelines: dict[int, Pipeline] = field(default_factory=dict)
    triggers: dict[str, User] = field(default_factory=dict)
    """Trigger tokens, and who made each."""
    protected: dict[str, Protected] = field(default_factory=dict)
    freezes: dict[int, Freeze] = field(default_factory=dict)
    hooks: dict[int, Hook] = field(default_factory=dict)
    rules: dict[int, Rule] = field(default_factory=dict)
    author_approves: bool = False
    """What a merge request's own author says counts as an approval (Premium)."""
    machines: list[Machine] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    environments: dict[str, int] = field(default_factory=dict)
    protected_environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    resource_groups: dict[str, str] = field(default_factory=dict)
    moved_from: set[str] = field(default_factory=set)
    merge_method: str = "merge"
    """`merge` makes a merge commit, `ff` never does and moves the branch forward only."""
    internal: bool = False
    """Every user of the site may see it and write issues; nobody becomes a member by that."""


class Site:
    """One GitLab.

    Args:
        folder: where repositories lie.
        tier: what was paid for.
        clock: the server's time.
    """

    def __init__(self, folder: Path, *, tier: Tier = Tier.FREE, clock: Callable[[], datetime] | None = None) -> None:
        self.folder = folder
        self.tier = tier
        self.clock = clock or (lambda: datetime.now(UTC))
        self.users: dict[int, User] = {}
        self.tokens: dict[str, Token] = {}
        self.groups: dict[int, Group] = {}
        self.projects: dict[int, Project] = {}
        self.lock = threading.RLock()
        self._numbers = itertools.count(101)

    def number(self) -> int:
        """The next id: what comes later has the larger one."""
        return next(self._numbers)

    def level(self, project: Project, user: User) -> Level:
        """What a user may do in a project, whether directly or through its group."""
        inherited = project.group.members.get(user.id, Level.NONE) if project.group else Level.NONE
        return max(project.members.get(user.id, Level.NONE), inherited)

    def people(self, project: Project) -> Iterator[User]:
        """Everybody who is a member of a project or of its group."""
        ids = {*project.members, *(project.group.members if project.group else ())}
        return (self.users[number] for number in sorted(ids))

    def named(self, username: str) -> User | None:
        """The user of that name."""
        return next((user for user in self.users.values() if user.username == username), None)

    def project(self, name: str) -> Project | None:
        """A project by its id or path."""
        if name.isdigit():
            return self.projects.get(int(name))
        return next((one for one in self.projects.values() if one.path == name), None)

    def moved(self, name: str) -> Project | None:
        """The project that had this path once."""
        return next((one for one in self.projects.values() if name in one.moved_from), None)
