"""Who is asked to review a proposed change: the owners of its files (CODEOWNERS), else whom policy lets approve.

It asks people and grants nothing: whose yes counts is policy's to say. The syntax is the codeowners library's; GitLab's
default owners of a section, which that does not know, are written out for it first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from runner.approval.rules import Policy
from runner.plan.plan import Plan
from runner.ports.forge import PersonId

PLACES = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where GitLab looks, in this order; the first that is there counts."""
MOST = 5
"""Reviewers that are asked; everybody else sees it all the same."""
LARGEST = 256 * 1024
_SECTION = re.compile(r"\^?\[[^\]]+\](?:\[\d+\])?[ \t]*(.*)")
Read = Callable[[str], str | None]
"""Gives a file of the protected branch by its path; None if there is none."""


def reviewers(plan: Plan, *, read: Read, policy: Policy, bot: str) -> tuple[PersonId, ...]:
    """Name the people to ask, without the requester and the runner itself."""
    paths = [one.path for one in plan.proposal.files] if plan.proposal else []
    without = {plan.requested.by.casefold(), bot.casefold()}
    asked = [one for one in _owners(read, paths) if one.casefold() not in without]
    if not asked:
        rules = policy.rules_for(runbook=plan.runbook.name, risk=plan.risk, targets=plan.targets)
        named = sorted({person for rule in rules for one in rule.approve for person in one.people.members})
        asked = [one for one in named if one.casefold() not in without]
    return tuple(dict.fromkeys(asked))[:MOST]


def _owners(read: Read, paths: list[str]) -> Iterator[PersonId]:
    """The users who own any of the paths; groups, roles and addresses name nobody who could be asked."""
    text = next((found for place in PLACES if (found := read(place)) is not None), "")
    if not text or len(text) > LARGEST:
        return
    from codeowners import CodeOwners

    try:
        known = CodeOwners(_written_out(text))
    except (ValueError, re.error):
        return
    for path in paths:
        spoken: set[str | None] = set()
        for owners, _, _, section in known.matching_lines(path):
            if section not in spoken:  # in each section the last line that matches counts
                spoken.add(section)
                yield from (PersonId(name[1:]) for kind, name in owners if kind == "USERNAME" and name[1:2] != "@")


def _written_out(text: str) -> str:
    lines, default = [], ""
    for line in text.splitlines():
        stripped = line.split(" #")[0].strip()
        section = _SECTION.fullmatch(stripped)
        if section:
            default = section[1].strip()
            lines.append(re.sub(r"(\])(?:\[\d+\])?[ \t]*[^\]]*\Z", r"\1", stripped))
        elif stripped and not stripped.startswith("#") and " " not in stripped.replace("\\ ", "") and default:
            lines.append(f"{stripped} {default}")
        else:
            lines.append(stripped)
    return "\n".join(lines)
