"""Break-glass: may this person run this while nobody else can be asked? Pure and fail closed, like the verdict.

Approvals are what cannot be had then, and they are all that is done without. Whatever else policy asks for it still
asks for: that it names the person, isolation, secrets, windows and freezes.
"""

from __future__ import annotations

from datetime import datetime

from runner.approval.decide import Decision, Verdict, isolation_refused, secrets_refused
from runner.approval.freeze import holds
from runner.approval.rules import Policy
from runner.plan.plan import Plan
from runner.ports.forge import PersonId


def may_break_glass(policy: Policy, *, plan: Plan, member: bool, now: datetime, halted: bool = False) -> Decision:
    """Say whether whoever asks in this plan may run it without approvals while the remote is away.

    Args:
        policy: as it was last fetched.
        plan: what would run, and who asks.
        member: whether the key that signed the request is one of that person's, as was last fetched.
        now: when.
        halted: whether everything was halted, as was last fetched.
    """
    refused = _refusals(policy, plan, member=member, now=now, halted=halted)
    if refused:
        return Decision(verdict=Verdict.DENIED, reasons=tuple(refused))
    reason = f"{plan.requested.by} may run {plan.runbook.name} on {', '.join(plan.targets)} by break-glass"
    return Decision(verdict=Verdict.ALLOWED, reasons=(reason,))


def _refusals(policy: Policy, plan: Plan, *, member: bool, now: datetime, halted: bool) -> list[str]:
    if not policy.rules:  # 1: an empty policy denies
        return ["the policy has no rules, so nothing may run"]
    found = []
    if halted:  # 2: the kill switch is for everybody
        found.append("everything is halted, as far as is known here")
    if not plan.targets:  # 3: what acts on nothing that policy can see cannot be judged
        found.append("it names no target, so no rule can speak for it")
    if not (member and plan.requested.verified):  # 4: without the forge only a person's own key proves who asks
        found.append(f"{plan.requested.by} is not a member of this project, or did not sign the request")
    for target in plan.targets:  # 5: the rule of every target names the person
        rule = policy.rule_for(runbook=plan.runbook.name, risk=plan.risk, target=target)
        people = rule.break_glass if rule else None
        if people is None or not people.include(PersonId(plan.requested.by)):
            found.append(f"policy lets {people or 'nobody'} run this on {target} by break-glass")
    found += secrets_refused(policy, plan, names={*plan.read_secrets, *plan.change_secrets})  # 6
    found += isolation_refused(policy, plan)  # 7
    if plan.questions:  # 8: nobody could answer
        found.append(f"it asks people before {plan.questions[0].step}, and nobody can be asked")
    if plan.proposes:  # 9: nobody could merge it
        found.append("it proposes a change to files, and nobody can merge one")
    found += _held(policy, plan, now)  # 9
    return found


def _held(policy: Policy, plan: Plan, now: datetime) -> list[str]:
    """Freezes and windows hold it like anything else, unless its rules let emergencies start despite them."""
    rules = policy.rules_for(runbook=plan.runbook.name, risk=plan.risk, targets=plan.targets)
    if rules and all(rule.emergency and rule.emergency.despite_freeze for rule in rules):
        return []
    found = holds(policy.freezes, policy.windows, runbook=plan.runbook.name, targets=plan.targets, now=now)
    return [hold.reason for hold in found]
