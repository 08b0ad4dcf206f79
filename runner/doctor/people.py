"""D19 to D22: policy agrees with the people that there are: it names members, and every rule can be satisfied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runner.approval import policy as policies
from runner.approval.approval import Approval
from runner.approval.count import count
from runner.approval.rules import Identity, People, Policy, Rule
from runner.digest import sha256
from runner.doctor.facts import Facts
from runner.doctor.finding import Check, Remark, fine, not_checked, warning, wrong
from runner.errors import OperatorError
from runner.ports.forge import CommentId, PersonId
from runner.ports.premises import Unseen
from runner.repository import people

SIGNERS = "runbooks/allowed_signers"


def policy(facts: Facts) -> Policy | None:
    """The policy, if it can be read."""
    try:
        return policies.read(facts.papers.policy) if facts.papers.policy is not None else None
    except OperatorError:
        return None


def named(found: Policy) -> frozenset[PersonId]:
    """Everybody whom a policy names."""
    lists = [found.halt, *(one for rule in found.rules for one in _lists(rule))]
    return frozenset().union(*(one.members for one in lists))


def _lists(rule: Rule) -> Iterator[People]:
    yield from (rule.request, rule.cancel, rule.resolve, rule.answer, rule.break_glass)
    yield from (one.people for one in rule.approve)
    if rule.emergency:
        yield rule.emergency.request
        yield from (one.people for one in rule.emergency.approve)


def readable(facts: Facts) -> Iterator[Remark]:
    """D19: there is a policy, it is valid, and it lets something run."""
    text = facts.papers.policy
    try:
        found = policies.read(text) if text is not None else None
    except OperatorError as error:
        yield wrong(error.wrong, fix=error.hint)
        return
    if found is None:
        fix = "runbook init, then merge what it proposes"
        yield wrong(f"there is no {policies.PATH} on {facts.settings.branch}, so nothing may run", fix=fix)
    elif not found.rules:
        yield wrong("the policy has no rules, so nothing may run", fix=f"add a [[rule]] to {policies.PATH}")
    else:
        yield fine(f"{len(found.rules)} {'rule' if len(found.rules) == 1 else 'rules'}")


def members(facts: Facts) -> Iterator[Remark]:
    """D20: whom policy names is there, and active: a name that nobody has could be taken by anybody."""
    found = policy(facts)
    if found is None:
        return
    there = active(facts)
    if isinstance(there, Unseen):
        yield not_checked(there)
        return
    strange = sorted(named(found) - there)
    for name in strange:
        yield _stranger(facts, name)
    if not strange:
        yield fine(f"all {len(named(found))} whom policy names may act here")


def active(facts: Facts) -> frozenset[PersonId] | Unseen:
    """Who may act here at all: active members, or on plain Git whoever has a key; never the runner."""
    if not facts.gitlab:
        try:
            holders = people.allowed_signers(facts.papers.signers or "").holders
        except OperatorError:
            return Unseen(why="allowed_signers cannot be read (D22), so nobody knows who is who")
        return frozenset(PersonId(holder.person) for holder in holders)
    seen = facts.premises.members
    if seen is None or isinstance(seen, Unseen):
        return seen or Unseen(why="members were not asked for")
    return frozenset(one.name for one in seen if one.active and one.level > 0 and one.name != facts.settings.bot)


def _stranger(facts: Facts, name: PersonId) -> Remark:
    """Why somebody whom policy names cannot act."""
    where = f"in {policies.PATH}"
    if not facts.gitlab:
        fix = f"add a line for {name} to {SIGNERS}, or take the name out {where}"
        return wrong(f"{name} has no key in {SIGNERS}, so nothing that is said under that name counts", fix=fix)
    account = facts.premises.accounts.get(name)
    inactive = isinstance(facts.premises.members, tuple) and any(
        one.name == name and not one.active for one in facts.premises.members
    )
    if isinstance(account, Unseen):
        return not_checked(Unseen(why=f"{name} is no member; {account.why}", blind=account.blind))
    if account is False or inactive:
        return wrong(f"{name} is blocked, and can neither ask nor approve", fix=f"take {name} out {where}")
    if account is None:
        told = f"there is no user {name}: renamed, removed or misspelt. Whoever takes that name gets its rights"
        return wrong(told, fix=f"correct the name {where}, at once")
    fix = f"Manage > Members: invite {name}, or take the name out {where}"
    return wrong(f"{name} is no member of the project, so policy's words about that name do nothing", fix=fix)


def satisfiable(facts: Facts) -> Iterator[Remark]:
    """D21: for whoever may ask there are enough others who may approve."""
    found, there = policy(facts), active(facts)
    if found is None or not found.rules:
        return
    if isinstance(there, Unseen):
        yield not_checked(there)
        return
    signed = found.identity is Identity.SIGNED
    remarks = [one for rule in found.rules if (one := _stuck(facts, rule, there, signed=signed))]
    yield from remarks
    if not remarks:
        yield fine("for whoever may ask there are enough others who may approve")


def _stuck(facts: Facts, rule: Rule, there: frozenset[PersonId], *, signed: bool) -> Remark | None:
    """What keeps a rule from being satisfied, though everybody who may says yes; judged by the very count of runs."""
    there = _telling(rule, there)
    askers = sorted(there if rule.request.anybody else rule.request.members & there)
    if not askers:
        fix = f"name somebody who is there in request of this rule, in {policies.PATH}"
        return wrong(f'rule "{rule.name}": nobody who may ask is there', fix=fix)
    digest, yes = sha256(b""), []
    for number, name in enumerate(sorted(there)):
        at = facts.now
        yes.append(
            Approval(number=number, by=name, at=at, plan=digest, comment=CommentId(f"0/{number}"), verified=True)
        )
    missing = {
        one: counted.missing
        for one in askers
        if (
            counted := count(
                rule, signed=signed, digest=digest, requester=one, approvals=yes, members=there, now=facts.now
            )
        ).missing
    }
    if not missing:
        return None
    who, first = _listed(missing), next(iter(missing.values()))
    fix = f"name more people in approve of this rule, in {policies.PATH}, or make them members"
    told = f'rule "{rule.name}" can never be satisfied when {who} asks: {"; ".join(first)}'
    return wrong(told, fix=fix) if len(missing) == len(askers) else warning(told, fix=fix)


def _telling(rule: Rule, there: frozenset[PersonId]) -> frozenset[PersonId]:
    """Those who make a difference to a rule: whom it names, and as many others as it could ask for."""
    marked = frozenset().union(*(one.members for one in _lists(rule))) & there
    return marked | {*sorted(there - marked)[: 1 + sum(one.count for one in rule.approve)]}


def _listed(names: Iterable[PersonId], *, most: int = 3) -> str:
    given = list(names)
    return " or ".join(given[:most]) + (f" or {len(given) - most} more" if len(given) > most else "")


def signers(facts: Facts) -> Iterator[Remark]:
    """D22: the keys of people can be read; on plain Git there have to be some."""
    text = facts.papers.signers
    try:
        found = people.allowed_signers(text or "").holders
    except OperatorError as error:
        yield wrong(f"{error.doing}: {error.wrong}", fix=error.hint)
        return
    if found or facts.gitlab:
        told = f"{len(found)} keys" if found else "no keys: GitLab vouches for who writes, and break-glass is nobody's"
        yield fine(told)
    else:
        fix = f'add a line for each person: echo "alice@example.org $(cat ~/.ssh/id_ed25519.pub)" >> {SIGNERS}'
        yield wrong(f"{SIGNERS} has no keys, so nobody can be believed", fix=fix)


CHECKS = (
    Check(number="D19", title="The policy can be read", judge=readable),
    Check(number="D20", title="Whom policy names is there", judge=members),
    Check(number="D21", title="Every rule can be satisfied", judge=satisfiable),
    Check(number="D22", title="The keys of people can be read", judge=signers),
)
