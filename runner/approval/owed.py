"""What an emergency still owes: the approvals that its rules ask for otherwise, given after it has started.

Pure, and judged by the policy of its start on the recorded approvals alone, so that a supervisor, `log` and `verify`
come to the same answer years later: nobody's leaving, and no later policy, makes a debt of what was paid. Nothing here
stops anything: a debt is listed and told, and whether it is paid is for people to see to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from runner.approval.approval import Approval, told_apart
from runner.approval.count import count
from runner.approval.rules import Identity, Policy, Rule
from runner.digest import Digest
from runner.ledger.event import from_iso
from runner.plan.plan import Plan
from runner.ports.forge import PersonId

_ALWAYS = timedelta(days=36_500)
"""A yes to what has run already does not expire: it was said of something that cannot change any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What is missing, and by when it is due. `may_approve` are those whose yes would count (`*` for any member)."""

    made: datetime
    due: datetime
    missing: tuple[str, ...]
    may_approve: tuple[str, ...] = ()

    def overdue(self, now: datetime) -> bool:
        """Whether its time is over."""
        return now >= self.due

    def worth_a_reminder(self, now: datetime) -> bool:
        """Whether half of the time has passed: early enough for a reminder to be of use."""
        return now >= self.made + (self.due - self.made) / 2

    def words(self, now: datetime) -> str:
        """The debt in one line, for people."""
        when = "overdue since" if self.overdue(now) else "due by"
        return f"{when} {self.due:%Y-%m-%d %H:%M} UTC: {'; '.join(self.missing)}"


def owed(policy: Policy | None, *, plan: Plan, digest: Digest, approvals: Iterable[Approval]) -> Owed | None:
    """Say what an emergency that has started still owes; None if nothing.

    Args:
        policy: as it was when the run started; None if it cannot be read, and then nothing is known to be paid.
        plan: the run's plan.
        digest: its digest.
        approvals: all that were recorded, before the start and after it. Who gave one was a member then.
    """
    if not plan.emergency:
        return None
    made, due = from_iso(plan.made_at), from_iso(plan.owes_by or plan.made_at)
    if policy is None:
        return Owed(made=made, due=due, missing=("the policy of its start cannot be read",))
    given = told_apart(approvals, requester=plan.requested.account)
    counts = [
        count(
            _unhurried(rule),
            signed=policy.identity is Identity.SIGNED,
            digest=digest,
            requester=PersonId(plan.requested.by),
            approvals=given,
            members=frozenset(one.by for one in given),
            now=max((one.at for one in given), default=due),
        )
        for rule in policy.rules_for(runbook=plan.runbook.name, risk=plan.risk, targets=plan.targets)
    ]
    missing = tuple(dict.fromkeys(reason for one in counts for reason in one.missing))
    if not missing:
        return None
    may = tuple(dict.fromkeys(name for one in counts for name in one.may_approve))
    return Owed(made=made, due=due, missing=missing, may_approve=may)


def _unhurried(rule: Rule) -> Rule:
    return replace(rule, approve=tuple(replace(one, expires=_ALWAYS) for one in rule.approve))
