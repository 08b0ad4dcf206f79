"""Whom a runbook's owner means, and who of them is next. Pure; the forge is asked through a function that is passed in.

A header says `owner: "@dba"`, or several names. A name is a group of policy, else a person or a group of the forge.
Ownership lets nobody do anything: it only says who looks after a request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from runner.approval.rules import People, Policy
from runner.ports.forge import PersonId

MOST = 20
"""Names that a header is asked about; what comes behind is left out."""
_NAME = re.compile(r"@?[A-Za-z0-9_][A-Za-z0-9_.@/-]{0,254}")


def named(owner: str) -> tuple[str, ...]:
    """The names in a header's owner, without their `@`; words that are no list of names, such as a title, are none."""
    words = [word for word in re.split(r"[,;\s]+", owner.strip()) if word]
    marked = all(word.startswith("@") for word in words)
    if not words or not (marked or len(words) == 1) or not all(_NAME.fullmatch(word) for word in words):
        return ()
    return tuple(dict.fromkeys(word.removeprefix("@") for word in words[:MOST]))


def people(owner: str, policy: Policy, *, ask: Callable[[str], Iterable[PersonId]]) -> frozenset[PersonId]:
    """Everybody whom the owner means; nobody if no name is known.

    Args:
        owner: as the header says it.
        policy: whose groups come first.
        ask: whom the forge knows by a name that is no group of policy.
    """
    found: set[PersonId] = set()
    for name in named(owner):
        group = policy.groups.get(name)
        found |= group if group is not None else frozenset(ask(name))
    return frozenset(found)


def in_turn(people: Iterable[PersonId], load: Mapping[PersonId, int]) -> tuple[PersonId, ...]:
    """The same people, who has least to do first; of two with as much, by name."""
    return tuple(sorted(people, key=lambda person: (load.get(person, 0), person)))


def only_person(owner: str, policy: Policy) -> PersonId | None:
    """The owner, where policy shows that it is a single person; else who it is has to be asked of the forge."""
    names = named(owner)
    if len(names) != 1 or names[0] in policy.groups:
        return None
    person = PersonId(names[0])
    return person if any(person in one.members for one in _lists(policy)) else None


def _lists(policy: Policy) -> Iterable[People]:
    yield policy.halt
    yield People(members=frozenset(person for group in policy.groups.values() for person in group))
    for rule in policy.rules:
        yield from (rule.request, rule.cancel, rule.resolve, rule.answer, rule.break_glass)
        yield from (requirement.people for requirement in rule.approve)
