"""What a policy is once it has been read: people, requirements, rules. Pure values and the questions asked of them.

Reading and checking the text is `policy.py`; judging a plan is `decide.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum

from runner.approval.freeze import Freeze, Window
from runner.approval.glob import matches_any
from runner.approval.periods import Periods
from runner.ports.forge import PersonId

ANYBODY = "*"
"""In a list of people: every member of the project."""

ISOLATION = {"none": 0, "subreaper": 1, "container": 2, "bwrap": 2}
"""Isolation by name to strength; what is not listed here has none."""


class Identity(Enum):
    """What makes a comment's author believable."""

    SIGNED = "signed"
    """The forge vouches for the author: a signature by a known key, or an authenticated account."""
    UNVERIFIED = "unverified"
    """The name on the comment is taken as it is; evidence is then worth at most level L1."""


class Resume(Enum):
    """What the next attempt of a run needs."""

    SAME_APPROVAL = "same-approval"
    NEW_APPROVAL = "new-approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """A list as policy has it: names, `@groups` and `*`. `members` is what the groups came to, names included."""

    written: tuple[str, ...] = ()
    members: frozenset[PersonId] = frozenset()

    @property
    def anybody(self) -> bool:
        """Whether every member of the project is meant."""
        return ANYBODY in self.written

    def include(self, person: PersonId) -> bool:
        """Whether the list has this person; whether that person still is a member is asked elsewhere."""
        return self.anybody or person in self.members

    def __str__(self) -> str:
        return ", ".join("any member" if name == ANYBODY else name for name in self.written) or "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """`count` different people of `people` have to say yes; a yes older than `expires` is void."""

    count: int
    people: People
    requester_excluded: bool = True
    expires: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """What an emergency needs before it starts; what its rule asks for otherwise is owed until `due` after the plan.

    `despite_freeze` lets it start during freezes and outside windows too.
    """

    request: People
    approve: tuple[Requirement, ...]
    due: timedelta = timedelta(hours=24)
    despite_freeze: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of policy: what it speaks of, and what that needs.

    `risk`, `runbook` and `target` are patterns. `same_person` lets one person's yes fill a place in more than one
    requirement. `cancel` and `resolve` are the people on call: for `cancel`, beside requester and approvers. `answer`
    are those who may answer what a run asks in the middle of it. Without `emergency` there is none. `break_glass` are
    those who may run it while the remote is away. `confidential` lets values that were written on a confidential issue
    go on record, where everybody reads them who can read the repository.
    """

    name: str
    risk: tuple[str, ...]
    runbook: tuple[str, ...]
    target: tuple[str, ...]
    request: People
    approve: tuple[Requirement, ...]
    same_person: bool = False
    cancel: People = field(default_factory=People)
    resolve: People = field(default_factory=People)
    answer: People = field(default_factory=People)
    resume: Resume = Resume.NEW_APPROVAL
    isolation: str = "none"
    secrets: tuple[str, ...] = ()
    emergency: Emergency | None = None
    break_glass: People = field(default_factory=People)
    confidential: bool = False

    def matches(self, *, runbook: str, risk: str, target: str) -> bool:
        """Whether this rule speaks of that runbook, of that risk, on that target."""
        return matches_any(self.risk, risk) and matches_any(self.runbook, runbook) and matches_any(self.target, target)

    def in_emergency(self) -> Rule | None:
        """This rule as it judges an emergency before its start; None where it knows no emergencies."""
        if self.emergency is None:
            return None
        return replace(self, request=self.emergency.request, approve=self.emergency.approve)

    def approvers_include(self, person: PersonId) -> bool:
        """Whether this person's yes could count for any of the requirements."""
        return any(requirement.people.include(person) for requirement in self.approve)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A whole policy. The first rule in the file that matches a target speaks for it; no rule means denied.

    `accounts` are the forge's numbers of people, for forges where a name can be given up and taken by somebody else.
    """

    identity: Identity = Identity.SIGNED
    groups: Mapping[str, frozenset[PersonId]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    windows: tuple[Window, ...] = ()
    halt: People = field(default_factory=People)
    unreviewed: tuple[str, ...] = ()
    periods: Periods = field(default_factory=Periods)
    plan_expires: timedelta = timedelta(hours=24)
    accounts: Mapping[PersonId, str] = field(default_factory=dict)

    def rule_for(self, *, runbook: str, risk: str, target: str) -> Rule | None:
        """Find the rule that speaks for one target: the first in the file that matches."""
        return next((rule for rule in self.rules if rule.matches(runbook=runbook, risk=risk, target=target)), None)

    def rules_for(self, *, runbook: str, risk: str, targets: Iterable[str]) -> tuple[Rule, ...]:
        """Find the rules of all targets, each rule once; targets without a rule are left out."""
        found = (self.rule_for(runbook=runbook, risk=risk, target=target) for target in targets)
        return tuple({rule.name: rule for rule in found if rule is not None}.values())

    def resumes(self, *, runbook: str, risk: str, targets: Iterable[str]) -> Resume:
        """Say what the next attempt of a run on these targets needs: new approvals, unless every rule lets the same."""
        rules = self.rules_for(runbook=runbook, risk=risk, targets=targets)
        same = bool(rules) and all(rule.resume is Resume.SAME_APPROVAL for rule in rules)
        return Resume.SAME_APPROVAL if same else Resume.NEW_APPROVAL

    def least_isolation(self, *, runbook: str, risk: str, targets: Iterable[str]) -> str:
        """Name the weakest isolation that the rules of all these targets accept: what a plan has to ask for."""
        rules = self.rules_for(runbook=runbook, risk=risk, targets=targets)
        return max((rule.isolation for rule in rules), key=lambda name: ISOLATION[name], default="none")
