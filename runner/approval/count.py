"""Counting approvals for one rule: which count, which do not and why, and who is still missing.

Four eyes and N of M live here. Only `decide.py` calls it; nothing here ever turns a void approval into a valid one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runner.approval.approval import Approval
from runner.approval.rules import ANYBODY, Requirement, Rule
from runner.digest import SHORT, Digest
from runner.ports.forge import PersonId

AHEAD = timedelta(minutes=5)
"""How far two supervisors' clocks may differ before an approval from the future is void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What one rule's approvals come to: `missing` is empty if and only if the rule is satisfied."""

    missing: tuple[str, ...]
    used: tuple[int, ...]
    void: tuple[str, ...]
    may_approve: tuple[str, ...]
    met: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """One of the yeses that a requirement asks for."""

    requirement: int
    nth: int


def count(
    rule: Rule,
    *,
    signed: bool,
    digest: Digest,
    requester: PersonId,
    approvals: Sequence[Approval],
    members: frozenset[PersonId],
    now: datetime,
) -> Count:
    """Match approvals with what a rule requires.

    Args:
        rule: the rule.
        signed: whether an approval needs a verified author.
        digest: the plan's digest.
        requester: whose own yes does not count, unless the rule says otherwise.
        approvals: all that were recorded for the run.
        members: those of the approvers who are members of the project now.
        now: the time.
    """
    valid, void = [], []
    for approval in approvals:
        wrong = _wrong(approval, signed=signed, digest=digest, members=members, now=now)
        if wrong:
            void.append(f"the approval of {approval.by} does not count: {wrong}")
        else:
            valid.append(approval)
    fitting = [_fitting(requirement, valid, requester=requester, now=now) for requirement in rule.approve]
    void += _unused(rule, valid, requester=requester, now=now)
    seats = _seated(rule, fitting)
    used = {approval.number for approval in seats.values()}
    missing, may = [], []
    for index, requirement in enumerate(rule.approve):
        there = sum(place.requirement == index for place in seats)
        if there < requirement.count:
            given = {_one(approval.by) for approval in seats.values()} if not rule.same_person else {*fitting[index]}
            candidates = _candidates(requirement, requester=requester, without=given)
            missing.append(_missing(rule, requirement, lacking=requirement.count - there, candidates=candidates))
            may += candidates
    return Count(
        missing=tuple(missing),
        used=tuple(sorted(used)),
        void=tuple(void),
        may_approve=tuple(may),
        met=_met(rule, [a for a in valid if a.number in used]),
    )


def _wrong(
    approval: Approval, *, signed: bool, digest: Digest, members: frozenset[PersonId], now: datetime
) -> str | None:
    if approval.plan != digest:  # a: a yes to something else is not a yes to this
        return f"it is for the plan {approval.plan[:SHORT]}, not {digest[:SHORT]}"
    if approval.fault:  # b: revoked, edited, deleted
        return approval.fault
    if signed and not approval.verified:  # c: a name on a comment is free text
        return "nothing proves who wrote it, and policy asks for a signature"
    if approval.by not in members:  # d: who left says nothing any more
        return "no member of this project any more"
    if approval.at > now + AHEAD:  # e: else a wrong clock would make a yes that never expires
        return "it is dated in the future"
    return None


def _fitting(
    requirement: Requirement, valid: Sequence[Approval], *, requester: PersonId, now: datetime
) -> dict[str, Approval]:
    found: dict[str, Approval] = {}
    for approval in valid:
        if _misfit(requirement, approval, requester=requester, now=now) is None:
            found.setdefault(_one(approval.by), approval)  # the same person twice is one person
    return found


def _misfit(requirement: Requirement, approval: Approval, *, requester: PersonId, now: datetime) -> str | None:
    own = approval.by_requester or _one(approval.by) == _one(requester)
    if requirement.requester_excluded and own:  # f: four eyes
        return "the requester's own yes never counts"
    if not requirement.people.include(approval.by):  # g: not, or no longer, one of those whom policy names
        return f"policy asks {requirement.people}"
    if now >= approval.at + requirement.expires:  # h: a yes is for soon, not for ever
        return f"it expired at {approval.at + requirement.expires:%Y-%m-%d %H:%M %Z}"
    return None


def _unused(rule: Rule, valid: Sequence[Approval], *, requester: PersonId, now: datetime) -> list[str]:
    reasons = []
    for approval in valid:
        misfits = [_misfit(one, approval, requester=requester, now=now) for one in rule.approve if one.count]
        if misfits and all(misfits):
            told = "; ".join(dict.fromkeys(str(misfit) for misfit in misfits))
            reasons.append(f"the approval of {approval.by} does not count: {told}")
    return reasons


def _seated(rule: Rule, fitting: Sequence[dict[str, Approval]]) -> dict[_Place, Approval]:
    places = [_Place(requirement=i, nth=n) for i, one in enumerate(rule.approve) for n in range(one.count)]
    if rule.same_person:
        return {place: yes for place in places for yes in list(fitting[place.requirement].values())[place.nth :][:1]}
    seats: dict[_Place, str] = {}
    for place in places:
        _seat(place, fitting, seats, tried=set())
    return {place: fitting[place.requirement][person] for place, person in seats.items()}


def _seat(
    place: _Place,
    fitting: Sequence[dict[str, Approval]],
    seats: dict[_Place, str],
    *,
    tried: set[str],
) -> bool:
    """Give a place to a person, moving those who sit elsewhere if they fit there (an augmenting path)."""
    for person in fitting[place.requirement]:
        if person in tried:
            continue
        tried.add(person)
        taken = next((other for other, sitting in seats.items() if sitting == person), None)
        if taken is None or _seat(taken, fitting, seats, tried=tried):
            seats[place] = person
            return True
    return False


def _candidates(requirement: Requirement, *, requester: PersonId, without: set[str]) -> list[str]:
    if requirement.people.anybody:
        return [ANYBODY]
    excluded = without | {_one(requester)} if requirement.requester_excluded else without
    return sorted(person for person in requirement.people.members if _one(person) not in excluded)


def _one(person: PersonId) -> str:
    # Forges do not tell Alice from alice; to take two spellings for two people would be a way around four eyes.
    return person.casefold()


def _missing(rule: Rule, requirement: Requirement, *, lacking: int, candidates: Sequence[str]) -> str:
    people = str(requirement.people)
    names = ", ".join(name for name in candidates if name != ANYBODY)
    told = f" ({names})" if names and names != people else ""
    nobody = "" if candidates else "; nobody is left who could"
    return f'rule "{rule.name}" needs {lacking} more of {people}{told}{nobody}'


def _met(rule: Rule, used: Sequence[Approval]) -> str:
    people = ", ".join(dict.fromkeys(approval.by for approval in used))
    return f'rule "{rule.name}" is satisfied by {people}' if people else f'rule "{rule.name}" needs no approval'
