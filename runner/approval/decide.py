"""The verdict: may this be asked for, may this plan run? Pure, in numbered steps, each of which can only refuse.

Fails closed: no rule means denied, an empty policy denies, and no answer is never a yes. Called when something is
requested, when an approval arrives, and again just before a start, always with the newest policy. It reads no clock, no
forge and no ledger: `members` are the people whom the forge has just called members.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypedDict

from runner.approval import merging
from runner.approval.answers import unanswerable
from runner.approval.approval import Approval, Resumption, only_after, told_apart
from runner.approval.asking import Asked, refusals
from runner.approval.count import Count, count
from runner.approval.freeze import Hold, holds
from runner.approval.glob import matches_any
from runner.approval.merging import ABSENT, Standing
from runner.approval.periods import NOTHING_KEPT, Kept, held
from runner.approval.rules import ISOLATION, Identity, Policy, Resume, Rule
from runner.digest import Digest
from runner.ledger.bodies import Rehearsal
from runner.plan.plan import Plan
from runner.ports.forge import PersonId


class Verdict(Enum):
    """What a decision comes to. Only `ALLOWED` allows."""

    ALLOWED = "allowed"
    PENDING = "pending"
    """Not yet: approvals are missing, or a freeze holds it back."""
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict and why.

    `reasons` are plain sentences; an allowed plan has them too. `used` are the numbers of the approve events that carry
    the verdict. `may_approve` are those whose yes would still count (`*` for any member). `until` is when a held plan
    may be looked at again; None if waiting alone does not help. `enough` says that no approval is missing: what is held
    back then is held by a window or a freeze alone.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    used: tuple[int, ...] = ()
    may_approve: tuple[str, ...] = ()
    until: datetime | None = None
    enough: bool = False

    @property
    def allowed(self) -> bool:
        """Whether it may go ahead."""
        return self.verdict is Verdict.ALLOWED


def may_request(
    policy: Policy,
    *,
    runbook: str,
    risk: str,
    targets: Sequence[str],
    person: PersonId,
    verified: bool,
    member: bool,
    emergency: bool = False,
) -> Decision:
    """Say whether this person may ask for this runbook on these targets, as an emergency or as usual."""
    asked = Asked(
        runbook=runbook,
        risk=risk,
        targets=tuple(targets),
        person=person,
        verified=verified,
        member=member,
        emergency=emergency,
    )
    refused = refusals(policy, asked)
    if refused:
        return Decision(verdict=Verdict.DENIED, reasons=tuple(refused))
    return Decision(verdict=Verdict.ALLOWED, reasons=(f"{person} may request {runbook} on {', '.join(targets)}",))


def decide(
    policy: Policy,
    *,
    plan: Plan,
    digest: Digest,
    approvals: Iterable[Approval],
    members: frozenset[PersonId],
    now: datetime,
    resumption: Resumption | None = None,
    proposed: Standing = ABSENT,
    kept: Kept = NOTHING_KEPT,
) -> Decision:
    """Judge a plan: may it start now?

    Args:
        policy: the newest policy.
        plan: what would run.
        digest: sha256 of the plan's exact bytes; an approval of any other digest is not an approval.
        approvals: all of the run's approvals, the void ones too, so that the reasons can name them.
        members: of the requester and the approvers, those who are members of the project now.
        now: the time, with its zone.
        resumption: whose word asks for another attempt; None for the first.
        proposed: where the change to files stands that it proposes, if it does.
        kept: what the forge says of its own freeze periods, where policy lets them count.
    """
    denied = _refusals_of_plan(policy, plan=plan, members=members, now=now, resumption=resumption)  # 1-12
    denied += merging.refusals(plan, proposed)
    if denied:
        return Decision(verdict=Verdict.DENIED, reasons=tuple(denied))
    if resumption and policy.resumes(**_spoken_of(plan)) is Resume.NEW_APPROVAL:
        approvals = only_after(resumption.number, approvals)
    given = told_apart(approvals, requester=plan.requested.account)
    counts = [  # 12: the rule of every target has its approvals
        count(
            rule,
            signed=policy.identity is Identity.SIGNED,
            digest=digest,
            requester=PersonId(plan.requested.by),
            approvals=given,
            members=members,
            now=now,
        )
        for rule in _judging(policy, plan)
    ]
    in_vain = merging.insufficient(plan, proposed, missing=_missing(counts)) if resumption is None else ()  # 13
    if in_vain:
        return Decision(verdict=Verdict.DENIED, reasons=_once([*in_vain, *_void(counts)]))
    holding, waits = _held(policy, plan, now=now, kept=kept), merging.waits(plan, proposed)  # 14, 15
    if holding or waits or _missing(counts):
        return _pending(counts, holding, waits=waits)
    used = tuple(sorted({number for one in counts for number in one.used}))
    return Decision(verdict=Verdict.ALLOWED, reasons=_once(one.met for one in counts), used=used, enough=True)


def _judging(policy: Policy, plan: Plan) -> tuple[Rule, ...]:
    """The rules of all targets, each as it judges this plan: an emergency starts with what they ask for in one."""
    rules = _rules(policy, plan)
    if not plan.emergency:
        return rules
    return tuple(rule for rule in (one.in_emergency() for one in rules) if rule)


def _held(policy: Policy, plan: Plan, *, now: datetime, kept: Kept) -> tuple[Hold, ...]:
    hurried = [rule.emergency for rule in _rules(policy, plan)] if plan.emergency else []
    if hurried and all(one is not None and one.despite_freeze for one in hurried):
        return ()
    what, targets = plan.runbook.name, plan.targets
    return (
        *holds(policy.freezes, policy.windows, runbook=what, targets=targets, now=now),
        *held(policy.periods, kept, runbook=what, targets=targets, now=now),
    )


def _pending(counts: Sequence[Count], holding: Sequence[Hold], *, waits: Sequence[str] = ()) -> Decision:
    missing = [*waits, *_missing(counts)]
    opens = [hold.until for hold in holding if hold.until is not None]
    return Decision(
        verdict=Verdict.PENDING,
        reasons=_once([*missing, *(hold.reason for hold in holding), *_void(counts)]),
        may_approve=_once(name for one in counts for name in one.may_approve),
        until=max(opens) if holding and not missing and len(opens) == len(holding) else None,
        enough=not missing,
    )


def people_of(
    plan: Plan, approvals: Iterable[Approval], *, resumption: Resumption | None = None
) -> frozenset[PersonId]:
    """Name everybody whose membership a decision on this plan depends on: the forge has to be asked about these."""
    asked = {PersonId(plan.requested.by), *({resumption.by} if resumption else ())}
    return frozenset(asked | {approval.by for approval in approvals})


def _asked(plan: Plan, members: frozenset[PersonId], *, resumption: Resumption | None) -> list[Asked]:
    """Whoever wished for it: the requester and, of a later attempt, the person who resumed it."""
    wishes = [(PersonId(plan.requested.by), plan.requested.verified)]
    wishes += [(resumption.by, resumption.verified)] if resumption else []
    return [
        Asked(
            **_spoken_of(plan),
            person=person,
            verified=verified,
            member=person in members,
            emergency=bool(plan.emergency),
        )
        for person, verified in wishes
    ]


def _refusals_of_plan(
    policy: Policy, *, plan: Plan, members: frozenset[PersonId], now: datetime, resumption: Resumption | None
) -> list[str]:
    wishes = _asked(plan, members, resumption=resumption)
    return [
        *_once(refusal for asked in wishes for refusal in refusals(policy, asked)),  # 1-6
        *_rehearsal_succeeded(plan),  # 7
        *_plan_is_alive(plan, now),  # 8
        *_unreviewed_is_allowed(policy, plan),  # 9
        *secrets_refused(policy, plan, names={*plan.read_secrets, *plan.change_secrets}),  # 10
        *isolation_refused(policy, plan),  # 11
        *unanswerable(policy, plan),  # 12
    ]


def _rehearsal_succeeded(plan: Plan) -> list[str]:
    if plan.rehearsal.result is not Rehearsal.FAILED:
        return []
    return ["its rehearsal failed, and what could not be rehearsed cannot be approved"]


def _plan_is_alive(plan: Plan, now: datetime) -> list[str]:
    if now < datetime.fromisoformat(plan.expires_at):
        return []
    return [f"the plan expired at {plan.expires_at}; ask again in a new comment"]


def _unreviewed_is_allowed(policy: Policy, plan: Plan) -> list[str]:
    if not plan.unreviewed:
        return []
    closed = [target for target in plan.targets if not matches_any(policy.unreviewed, target)]
    return [f"{plan.runbook.name} is not reviewed and merged, which {target} requires" for target in closed]


def secrets_refused(policy: Policy, plan: Plan, *, names: Iterable[str]) -> list[str]:
    """Say which of these secrets the policy does not give to this runbook on these targets, and which rule says so.

    The rehearsal asks too: it gets the read secrets before anybody has approved anything.
    """
    return [
        f'rule "{rule.name}" does not give {plan.runbook.name} the secret {secret}'
        for rule in _rules(policy, plan)
        for secret in sorted(names)
        if secret not in rule.secrets
    ]


def isolation_refused(policy: Policy, plan: Plan) -> list[str]:
    """Say which rules ask for more isolation than the plan does."""
    # An isolation that is not in the list has no strength at all, not even that of "none".
    strength = ISOLATION.get(plan.isolation, -1)
    return [
        f'rule "{rule.name}" needs isolation {rule.isolation}; the plan has {plan.isolation}'
        for rule in _rules(policy, plan)
        if strength < ISOLATION[rule.isolation]
    ]


class _SpokenOf(TypedDict):
    runbook: str
    risk: str
    targets: tuple[str, ...]


def _spoken_of(plan: Plan) -> _SpokenOf:
    """What a policy's rules look at."""
    return {"runbook": plan.runbook.name, "risk": plan.risk, "targets": plan.targets}


def _rules(policy: Policy, plan: Plan) -> tuple[Rule, ...]:
    return policy.rules_for(**_spoken_of(plan))


def _missing(counts: Iterable[Count]) -> list[str]:
    return [reason for one in counts for reason in one.missing]


def _void(counts: Iterable[Count]) -> list[str]:
    return [reason for one in counts for reason in one.void]


def _once(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
