"""Who may do what to a run that exists: approve, revoke, reject, cancel, resolve, resume, answer.

Who may ask for a run is in `decide.may_request`. Pure and fail closed, like the verdict. A yes has to fit the rule; a
no is worth more than a yes, so any approver of any of the targets may say it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from runner.approval.approval import Approval
from runner.approval.decide import Decision, Verdict
from runner.approval.rules import Identity, People, Policy, Rule
from runner.plan.plan import Plan
from runner.ports.forge import PersonId
from runner.request.command import Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: `verified` by the forge or not, a `member` of the project now or not."""

    person: PersonId
    verified: bool
    member: bool
    account: str = ""


def may(policy: Policy, verb: Verb, *, actor: Actor, plan: Plan, approvals: Iterable[Approval] = ()) -> Decision:
    """Say whether this person may do this to the run of this plan.

    Args:
        policy: the newest policy.
        verb: what is to be done.
        actor: who wants to.
        plan: the run's plan.
        approvals: the run's approvals; only `revoke` needs them.
    """
    refusal = _stranger(policy, actor) or _refusal(policy, verb, actor=actor, plan=plan, approvals=approvals)
    if refusal:
        return Decision(verdict=Verdict.DENIED, reasons=(refusal,))
    return Decision(verdict=Verdict.ALLOWED, reasons=(f"{actor.person} may {verb.value} this run",))


def may_halt(policy: Policy, actor: Actor) -> Decision:
    """Say whether this person may stop everything from starting, or let it start again."""
    refusal = _stranger(policy, actor)
    if not refusal and not policy.halt.include(actor.person):
        refusal = f"policy lets {policy.halt} halt"
    if refusal:
        return Decision(verdict=Verdict.DENIED, reasons=(refusal,))
    return Decision(verdict=Verdict.ALLOWED, reasons=(f"{actor.person} may halt",))


def _stranger(policy: Policy, actor: Actor) -> str:
    if not policy.rules:  # 1: an empty policy denies
        return "the policy has no rules, so nobody may do anything"
    if not actor.member:  # 2: no member, no word
        return f"{actor.person} is not a member of this project"
    if policy.identity is Identity.SIGNED and not actor.verified:  # 3: a name on a comment is free text
        return f"nothing proves that {actor.person} wrote this, and policy asks for a signature"
    return ""


def _refusal(policy: Policy, verb: Verb, *, actor: Actor, plan: Plan, approvals: Iterable[Approval]) -> str:
    rules = _rules(policy, plan)
    match verb:
        case Verb.APPROVE:
            return _may_not_approve(rules, actor, plan)
        case Verb.REVOKE:
            return _may_not_revoke(actor, approvals)
        case Verb.REJECT:
            approves = any(rule.approvers_include(actor.person) for rule in rules)
            return "" if approves else f"{actor.person} is not one of its approvers: {_approvers(rules)}"
        case Verb.CANCEL:
            mine = _asked_for_it(actor, plan) or any(_on_hand(rule, actor) for rule in rules)
            strange = f"{actor.person} is neither its requester, nor one of its approvers, nor on call for it"
            return "" if mine else strange
        case Verb.RESOLVE:  # it frees the locks of all targets
            return _not_everywhere([rule.resolve for rule in rules], actor, "resolve it")
        case Verb.RESUME:  # as good as asking for it anew
            return _not_everywhere([rule.request for rule in rules], actor, "request it, and so resume it")
        case Verb.ANSWER:  # the run goes on on all of them
            return _not_everywhere([rule.answer for rule in rules], actor, "answer its questions")
        case Verb.RUN | Verb.REVERT | Verb.HALT | Verb.UNHALT | Verb.STATUS | Verb.HELP:  # not to a run that exists
            return f"{verb.value} is not done to a run"
    assert_never(verb)


def _rules(policy: Policy, plan: Plan) -> tuple[Rule, ...]:
    """The rules of all targets; for an emergency with those who may ask for one, and with both kinds of approvers."""
    rules = policy.rules_for(runbook=plan.runbook.name, risk=plan.risk, targets=plan.targets)
    if not plan.emergency:
        return rules
    return tuple(
        replace(rule, request=rule.emergency.request, approve=(*rule.approve, *rule.emergency.approve))
        if rule.emergency
        else rule
        for rule in rules
    )


def _may_not_revoke(actor: Actor, approvals: Iterable[Approval]) -> str:
    """The same person only."""
    mine = own(approvals, by=actor.person, account=actor.account)
    return "" if mine else f"there is no approval by {actor.person} to take back"


def own(approvals: Iterable[Approval], *, by: PersonId, account: str) -> list[Approval]:
    """A person's approvals that stand, and none by an earlier owner of that name."""
    return [one for one in approvals if one.by == by and one.account in {"", account} and not one.fault]


def _not_everywhere(lists: Sequence[People], actor: Actor, what: str) -> str:
    """The rule of every target has to name the person; no rule means nobody."""
    missing = next((people for people in lists if not people.include(actor.person)), None)
    if missing is None and lists:
        return ""
    return f"policy lets {missing or 'nobody'} {what}"


def _may_not_approve(rules: Iterable[Rule], actor: Actor, plan: Plan) -> str:
    asked = [requirement for rule in rules for requirement in rule.approve if requirement.count]
    mine = [requirement for requirement in asked if requirement.people.include(actor.person)]
    if not asked:
        return "no approval is needed for it"
    if not mine:
        return f"{actor.person} is not one of its approvers: {_approvers(rules)}"
    renamed = bool(actor.account) and actor.account == plan.requested.account
    own = renamed or actor.person.casefold() == plan.requested.by.casefold()
    if own and all(requirement.requester_excluded for requirement in mine):
        return "the requester's own yes never counts: somebody else has to approve"
    return ""


def _asked_for_it(actor: Actor, plan: Plan) -> bool:
    """Whether it is the requester, and not somebody who has taken that name over."""
    return actor.person == plan.requested.by and plan.requested.account in {"", actor.account}


def _on_hand(rule: Rule, actor: Actor) -> bool:
    return rule.cancel.include(actor.person) or rule.approvers_include(actor.person)


def _approvers(rules: Iterable[Rule]) -> str:
    asked = (str(one.people) for rule in rules for one in rule.approve if one.count)
    return ", ".join(dict.fromkeys(asked)) or "nobody"
