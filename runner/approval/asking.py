"""Who may ask for something to run, as usual or as an emergency: the first steps of every verdict (`decide.py`)."""

from __future__ import annotations

from dataclasses import dataclass

from runner.approval.rules import Identity, Policy
from runner.ports.forge import PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody's wish to run something, as far as policy cares."""

    runbook: str
    risk: str
    targets: tuple[str, ...]
    person: PersonId
    verified: bool
    member: bool
    emergency: bool = False


def refusals(policy: Policy, asked: Asked) -> list[str]:
    """Every reason why this person may not ask for this: steps 1 to 6 of every verdict."""
    if not policy.rules:  # 1: an empty policy denies
        return ["the policy has no rules, so nothing may run"]
    found = []
    if not asked.targets:  # 2: what acts on nothing that policy can see cannot be judged
        found.append("it names no target, so no rule can speak for it")
    if not asked.member:  # 3: a stranger, or somebody who has left, asks for nothing
        found.append(f"{asked.person} is not a member of this project")
    if policy.identity is Identity.SIGNED and not asked.verified:  # 4: a name on a comment is free text
        found.append(f"nothing proves that {asked.person} wrote the request, and policy asks for a signature")
    for target in asked.targets:
        rule = policy.rule_for(runbook=asked.runbook, risk=asked.risk, target=target)
        if rule is None:  # 5: no rule means denied
            found.append(f"no rule speaks of {asked.runbook} (risk {asked.risk}) on {target}")
            continue
        asking = rule.in_emergency() if asked.emergency else rule
        if asking is None:  # 6: nor does a rule that is silent about emergencies know any
            found.append(f'rule "{rule.name}" knows no emergencies on {target}; ask without it')
        elif not asking.request.include(asked.person):  # 6: the rule of every target has to let this person ask
            found.append(f'{asked.person} may not request this on {target}; rule "{rule.name}" lets {asking.request}')
    return found
