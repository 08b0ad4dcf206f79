"""I10 and I11: who said yes. Enough people, to exactly this plan, in time, and none of them the requester.

The policy that was in force is judged again, by the same pure decision, on the approvals that the start names and
nothing else. I11 is what only the four-eyes rule and membership refuse; everything else that is refused is I10.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from runner.approval.approval import Approval, approvals, resumption
from runner.approval.decide import decide, people_of
from runner.approval.glass import may_break_glass
from runner.approval.merging import ABSENT, Stage, Standing, in_review
from runner.approval.periods import Kept
from runner.approval.rules import Emergency, Identity, Policy, Requirement, Rule
from runner.approval.rules import Resume as Needs
from runner.audit.book import Seen, Told
from runner.audit.checks.check import Check
from runner.audit.checks.reviewed import NO_CODE
from runner.audit.checks.said import signed, words
from runner.audit.code import Code
from runner.audit.finding import Violation
from runner.digest import SHORT, sha256
from runner.ledger.bodies import Approve, Plan, Resume, Said, Start
from runner.ledger.event import Event, from_iso
from runner.plan.plan import Plan as StoredPlan
from runner.plan.run import Run
from runner.ports.forge import FreezePeriod, PersonId
from runner.repository.people import People

_DIGITS = re.compile(rf"(?<![0-9a-f])[0-9a-f]{{{SHORT},64}}(?![0-9a-f])")


class Enough(Check):
    """The policy of that moment allowed the start, by the approvals that it names."""

    number = "I10"
    title = "each start names approvals of its own plan, unrevoked, in time, and as many as policy asked for"

    def not_checked(self) -> str:
        """Without the policy only the approvals' own form is looked at."""
        return "" if self.context.code else NO_CODE

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) they exist and stand, (2) they speak of this plan, (3) they are fresh, (4) policy is satisfied."""
        body = seen.event.body if seen.event else None
        if seen.event and isinstance(body, Approve) and seen.before and _pays(seen.before):
            yield from self._form(seen, seen.event, seen.before)
        if not isinstance(body, Start) or seen.before is None:
            return
        standing = {event.seq: event for event in seen.before.run.approvals}
        for number in body.approvals:
            if number not in standing:
                yield self.broken(seen, f"event {number} is not a standing approval of this run")
        for event in seen.before.approvals(body.approvals):
            yield from self._form(seen, event, seen.before)
        policy, resumed = self._policy(body), seen.before.run.resumed
        if resumed and any(number < resumed.seq for number in body.approvals):
            yield from self._reused(seen, policy, seen.before.plan)
        if self.context.code is None:
            return
        if policy is None or seen.before.plan is None:
            yield self.broken(seen, f"there is no readable policy at {body.policy_commit[:SHORT]} to judge it by")
            return
        people = self.context.code.people(body.policy_commit)
        yield from self._judged(seen, body, policy, plan=seen.before.plan, people=people)

    def _judged(
        self, seen: Seen, body: Start, policy: Policy, *, plan: StoredPlan, people: People | None
    ) -> Iterator[Violation]:
        if body.after:
            yield from self._glass(seen, body, policy, plan=plan, people=people)
            return
        yield from self._due(seen, plan)
        for reason in _ruling(seen, body, policy, people=people).anyway:
            yield self.broken(seen, reason)

    def _glass(
        self, seen: Seen, body: Start, policy: Policy, *, plan: StoredPlan, people: People | None
    ) -> Iterator[Violation]:
        """What ran while nobody could be asked has no approvals, and its own policy named who ran it."""
        if not plan.break_glass:
            yield self.broken(seen, "its plan says nothing of break-glass")
        if body.approvals or body.policy_commit != plan.policy_commit:
            yield self.broken(seen, "it ran by break-glass, and names approvals or another policy than its plan")
        by = plan.requested.by
        member = people is not None and people.person(by) == by
        decision = may_break_glass(policy, plan=plan, member=member, now=from_iso(plan.made_at))
        for reason in () if decision.allowed else decision.reasons:
            yield self.broken(seen, reason)

    def _policy(self, body: Start) -> Policy | None:
        return self.context.code.policy(body.policy_commit) if self.context.code else None

    def _form(self, seen: Seen, event: Event, told: Told) -> Iterator[Violation]:
        body = event.body
        if not isinstance(body, Approve):
            return
        if body.plan_digest != told.run.digest:
            yield self.broken(seen, f"approval {event.seq} is for the plan {body.plan_digest[:SHORT]}")
        named = _DIGITS.findall(words(body.said).body.lower())
        if in_review(body.said.comment):  # a merge names no plan: that it is the planned change is I28's
            return
        if body.said.signature and not any(body.plan_digest.startswith(one) for one in named):
            yield self.broken(seen, f"what {body.said.by} signed (event {event.seq}) does not name this plan")

    def _due(self, seen: Seen, plan: StoredPlan) -> Iterator[Violation]:
        """What an emergency owes is due no later than the policy of its plan says."""
        policy = self.context.code.policy(plan.policy_commit) if self.context.code else None
        dues = [rule.emergency.due for rule in _rules(policy, plan) if rule.emergency] if policy else []
        if plan.owes_by and dues and from_iso(plan.owes_by) > from_iso(plan.made_at) + min(dues):
            yield self.broken(seen, f"what it owes is due by {plan.owes_by}, later than its policy says")

    def _reused(self, seen: Seen, policy: Policy | None, plan: StoredPlan | None) -> Iterator[Violation]:
        rules = _rules(policy, plan) if policy and plan else ()
        if not rules or any(rule.resume is not Needs.SAME_APPROVAL for rule in rules):
            yield self.broken(seen, "it uses approvals that an earlier attempt used up")


class FourEyes(Check):
    """Whoever asked did not approve, and those who did were who they are said to be."""

    number = "I11"
    title = "approvers are other people than the requester, members when it started, and signed it themselves"

    def not_checked(self) -> str:
        """Without the policy and the people's keys nothing can be said."""
        return "" if self.context.code else NO_CODE

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) membership and four eyes by policy, (2) the requester's and (3) the approvers' own signatures."""
        code, body = self.context.code, seen.event.body if seen.event else None
        if code is None:
            return
        if isinstance(body, Plan):
            local = body.break_glass or body.request_key.startswith("local:")
            yield from signed(self, seen, body.said, people=(code.people(body.policy_commit),), local=local)
            yield from self._request(seen, body.said)
            yield from self._own_words(seen, body)
        if isinstance(body, Approve) and seen.before and _pays(seen.before):
            yield from self._afterwards(seen, body, code=code)
        if not isinstance(body, Start) or seen.before is None or seen.before.plan is None:
            return
        policy, people = code.policy(body.policy_commit), code.people(body.policy_commit)
        local = seen.before.run.plan.request_key.startswith("local:")
        for event in seen.before.approvals(body.approvals):
            if isinstance(event.body, Approve):
                yield from signed(self, seen, event.body.said, people=(people,), local=local)
        yield from self._resumed(seen, seen.before.run, people, local=local)
        if policy is None or body.after:
            return
        ruling = _ruling(seen, body, policy, people=people)
        for reason in () if ruling.anyway else ruling.reasons:
            yield self.broken(seen, reason)

    def _resumed(self, seen: Seen, run: Run, people: People | None, *, local: bool) -> Iterator[Violation]:
        """What a person signed is that this run goes on."""
        body = run.resumed.body if run.resumed else None
        if not isinstance(body, Resume):
            return
        yield from signed(self, seen, body.said, people=(people,), local=local)
        if body.said.signature and run.id not in words(body.said).body:
            yield self.broken(seen, f"what {body.said.by} signed does not name the run that it resumes")

    def _afterwards(self, seen: Seen, body: Approve, *, code: Code) -> Iterator[Violation]:
        """What pays an emergency's debt is signed like any other yes, by a person of its policy or of today's."""
        told = seen.before
        start = told.run.start.body if told and told.run.start else None
        if told and isinstance(start, Start):
            local = told.run.plan.request_key.startswith("local:")
            people = (code.people(start.policy_commit), code.people(code.tip))
            yield from signed(self, seen, body.said, people=people, local=local)

    def _own_words(self, seen: Seen, body: Plan) -> Iterator[Violation]:
        """Where no forge vouches for anybody, the person's own signature does, for this very run."""
        run = seen.event.run if seen.event else None
        if body.break_glass and not (body.said.signature and run and run in words(body.said).body):
            yield self.broken(seen, f"nothing proves that {body.said.by} broke the glass for this run")

    def _request(self, seen: Seen, said: Said) -> Iterator[Violation]:
        """What the requester signed is what the plan was made from."""
        plan = seen.after.plan if seen.after else None
        if plan and said.signature and sha256(words(said).body.encode()) != plan.requested.text_sha256:
            yield self.broken(seen, f"what {said.by} signed is not the request that the plan was made from")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """Why policy refuses a start, and why it would even if anybody were a member and requesters could approve."""

    reasons: tuple[str, ...] = ()
    anyway: tuple[str, ...] = ()


def _ruling(seen: Seen, body: Start, policy: Policy, *, people: People | None) -> Ruling:
    """Judge a start once for both checks."""
    if not isinstance(seen.ruling, Ruling):
        local = seen.before is not None and seen.before.run.plan.request_key.startswith("local:")
        members = people if local and policy.identity is Identity.SIGNED else None
        reasons = _refusals(policy, seen, body, people=members)
        anyway = _refusals(_relaxed(policy), seen, body, people=None) if reasons else ()
        seen.ruling = Ruling(reasons=reasons, anyway=anyway)
    return seen.ruling


def _refusals(policy: Policy, seen: Seen, body: Start, *, people: People | None) -> tuple[str, ...]:
    """Why the start may not have been; nothing if it may. `people` are the members; None takes everybody for one."""
    told, event = seen.before, seen.event
    if told is None or told.plan is None or event is None:
        return ()
    named = [one for one in _approvals(told) if one.number in body.approvals]
    resumed = resumption((one.seq, one.time, one.body) for one in _resumes(told))
    persons = people_of(told.plan, named, resumption=resumed)
    members = frozenset(one for one in persons if people is None or people.person(one) == one)
    members -= _others(policy, told.plan, named)
    decision = decide(
        policy,
        plan=told.plan,
        digest=told.run.digest,
        approvals=named,
        members=members,
        now=event.when,
        resumption=resumed,
        proposed=_proposed(body),
        kept=_kept(body),
    )
    if not decision.allowed:
        return decision.reasons
    return ()


def _others(policy: Policy, plan: StoredPlan, named: list[Approval]) -> set[PersonId]:
    """Whose name policy has under another account than the one that spoke."""
    spoke = [(PersonId(plan.requested.by), plan.requested.account), *((one.by, one.account) for one in named)]
    return {name for name, account in spoke if policy.accounts.get(name, account) != account}


def _proposed(body: Start) -> Standing:
    """Where a proposal stood, as the start says; whether that is true is I28's."""
    if body.merged is None:
        return ABSENT
    return Standing(stage=Stage.MERGED, where=body.merged.review, by=body.merged.by)


def _kept(body: Start) -> Kept:
    """The forge's freeze periods, as the start says that they were; that there were no others is its word."""
    return Kept(
        periods=tuple(FreezePeriod(id=one.id, start=one.start, end=one.end, zone=one.zone) for one in body.freezes)
    )


def _approvals(told: Told) -> tuple[Approval, ...]:
    events = (*told.given, *told.run.revoked, *_resumes(told))
    return approvals((event.seq, event.time, event.body) for event in sorted(events, key=lambda one: one.seq))


def _resumes(told: Told) -> tuple[Event, ...]:
    return (told.run.resumed,) if told.run.resumed else ()


def _relaxed(policy: Policy) -> Policy:
    """The same policy without the rule that requesters do not approve: to tell one refusal from another."""
    rules = tuple(
        replace(rule, approve=_by_anybody(rule.approve), emergency=_hurried(rule.emergency)) for rule in policy.rules
    )
    return replace(policy, rules=rules)


def _pays(told: Told) -> bool:
    """Whether an approval comes after the start of an emergency, which owes it."""
    return bool(told.run.plan.owes_by) and told.run.start is not None


def _by_anybody(requirements: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
    return tuple(replace(one, requester_excluded=False) for one in requirements)


def _hurried(emergency: Emergency | None) -> Emergency | None:
    return replace(emergency, approve=_by_anybody(emergency.approve)) if emergency else None


def _rules(policy: Policy, plan: StoredPlan) -> tuple[Rule, ...]:
    return policy.rules_for(runbook=plan.runbook.name, risk=plan.risk, targets=plan.targets)
