"""The policy file: TOML text in, a valid `Policy` out, or every problem in it at once.

Strict on purpose: a misspelt restriction must not pass for no restriction. A policy without rules is valid and denies
everything; that is for `decide.py` to say. The file's words are explained in the example, `runbooks/policy.toml`.
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, timedelta, tzinfo
from zoneinfo import ZoneInfo

from runner.approval import periods
from runner.approval.freeze import Freeze, Once, Weekly, Window
from runner.approval.rules import ANYBODY, ISOLATION, Emergency, Identity, People, Policy, Requirement, Resume, Rule
from runner.approval.table import Problems, Table
from runner.errors import OperatorError
from runner.ports.forge import PersonId

PATH = "runbooks/policy.toml"
"""Where the policy lies, at a commit of the protected branch."""

LARGEST = 256 * 1024
"""Characters; a policy that is longer is a mistake."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKLY = re.compile(r"(\w{3}) ([01]\d|2[0-3]):([0-5]\d) *- *(\w{3}) ([01]\d|2[0-3]):([0-5]\d)", re.IGNORECASE)
_DOING = "reading the policy"
_Groups = dict[str, frozenset[PersonId]]


def read(text: str) -> Policy:
    """Read and check a policy.

    Args:
        text: the file's content.

    Raises:
        OperatorError: with every problem that was found, a line each.
    """
    if len(text) > LARGEST:
        raise OperatorError(_DOING, f"it has more than {LARGEST} characters", hint=f"shorten {PATH}")
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise OperatorError(_DOING, f"it is not TOML: {error}", hint=f"correct {PATH} at that place") from None
    problems = Problems(text)
    policy = _policy(Table(raw, problems))
    if problems.found:
        raise OperatorError(
            _DOING,
            "\n  ".join(["it is not valid, so nothing may run:", *problems.found]),
            hint=f"correct these lines of {PATH}, then try `runbook policy` again",
        )
    return policy


def _policy(top: Table) -> Policy:
    groups = _groups(top)
    identity = Identity(top.choice("identity", tuple(kind.value for kind in Identity), Identity.SIGNED.value))
    policy = Policy(
        identity=identity,
        groups=groups,
        rules=tuple(_rule(table, groups) for table in top.tables("rule")),
        freezes=tuple(_freeze(table) for table in top.tables("freeze")),
        windows=tuple(_window(table) for table in top.tables("window")),
        halt=_people(top, "halt", groups, default=()),
        unreviewed=top.names("unreviewed", ()),
        periods=periods.read(top),
        plan_expires=top.duration("plan_expires", timedelta(hours=24)),
        accounts=_accounts(top),
    )
    top.done()
    _different_names(policy, top)
    return policy


def _different_names(policy: Policy, top: Table) -> None:
    seen: set[str] = set()
    for nth, rule in enumerate(policy.rules):
        if rule.name in seen:
            line = top.problems.line_of("rule", nth, "name")
            top.problems.add(line, f"[[rule]] {nth + 1}", f'the name "{rule.name}" is taken; give each rule its own')
        seen.add(rule.name)


def _groups(top: Table) -> _Groups:
    raw = top.take("groups")
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        top.wrong("groups", "must be a [groups] section")
        return {}
    table = Table(raw, top.problems, section="groups", where="[groups]")
    groups = {}
    for name in raw:
        people = table.names(name)
        if any(person.startswith("@") or person == ANYBODY for person in people):
            table.wrong(name, "may hold people only, neither groups nor *")
        groups[name] = frozenset(PersonId(person) for person in people)
    return groups


def _accounts(top: Table) -> dict[PersonId, str]:
    raw = top.take("accounts")
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        top.wrong("accounts", "must be an [accounts] section")
        return {}
    table = Table(raw, top.problems, section="accounts", where="[accounts]")
    accounts = {}
    for name in raw:
        number = table.take(name)
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            table.wrong(name, "must be the number of the account at the forge, for example 17")
            continue
        accounts[PersonId(name)] = str(number)
    return accounts


def _people(table: Table, key: str, groups: _Groups, *, default: tuple[str, ...] | None) -> People:
    written = table.names(key, default)
    members: set[PersonId] = set()
    for name in written:
        if name.startswith("@"):
            if name[1:] not in groups:
                table.wrong(key, f"names the group {name}, which [groups] does not have")
            members |= groups.get(name[1:], frozenset())
        elif name != ANYBODY:
            members.add(PersonId(name))
    return People(written=written, members=frozenset(members))


def _rule(table: Table, groups: _Groups) -> Rule:
    name = table.text("name")
    table.where += f' "{name}"' if name else ""
    rule = Rule(
        name=name,
        risk=table.names("risk", ("*",)),
        runbook=table.names("runbook", ("*",)),
        target=table.names("target", ("*",)),
        request=_people(table, "request", groups, default=None),
        approve=_requirements(table, groups),
        same_person=table.flag("same_person", default=False),
        cancel=_people(table, "cancel", groups, default=()),
        resolve=_people(table, "resolve", groups, default=()),
        answer=_people(table, "answer", groups, default=()),
        resume=Resume(table.choice("resume", tuple(kind.value for kind in Resume), Resume.NEW_APPROVAL.value)),
        isolation=table.choice("isolation", tuple(ISOLATION), "none"),
        secrets=table.names("secrets", ()),
        emergency=_emergency(table, groups),
        break_glass=_people(table, "break_glass", groups, default=()),
        confidential=table.flag("confidential", default=False),
    )
    table.done()
    return rule


def _emergency(rule: Table, groups: _Groups) -> Emergency | None:
    raw = rule.take("emergency")
    if raw is None:
        return None
    if not isinstance(raw, dict):
        example = 'emergency = {request = ["@oncall"], approve = {count = 1, from = ["@oncall"]}, due = "24h"}'
        rule.wrong("emergency", f"must be a table: {example}")
        return None
    where = f"{rule.where}, emergency"
    table = Table(raw, rule.problems, section="rule", nth=rule.nth, where=where, inline="emergency")
    emergency = Emergency(
        request=_people(table, "request", groups, default=None),
        approve=_requirements(table, groups),
        due=table.duration("due", timedelta(hours=24)),
        despite_freeze=table.flag("despite_freeze", default=False),
    )
    table.done()
    return emergency


def _requirements(rule: Table, groups: _Groups) -> tuple[Requirement, ...]:
    raw = rule.take("approve")
    items = [raw] if isinstance(raw, dict) else raw
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        example = 'approve = {count = 1, from = ["@group"]}, or a list of such; {count = 0} if nobody has to'
        rule.wrong("approve", f"must say who approves: {example}")
        return (Requirement(count=1, people=People()),)
    return tuple(_requirement(rule, item, groups) for item in items)


def _requirement(rule: Table, raw: dict[str, object], groups: _Groups) -> Requirement:
    where = f"{rule.where}, approve"
    table = Table(raw, rule.problems, section="rule", nth=rule.nth, where=where, inline=rule.inline or "approve")
    count = table.count("count")
    requirement = Requirement(
        count=count,
        people=_people(table, "from", groups, default=None if count else ()),
        requester_excluded=table.flag("requester_excluded", default=True),
        expires=table.duration("expires", timedelta(hours=24)),
    )
    table.done()
    if not requirement.people.anybody and len(requirement.people.members) < count:
        table.wrong("count", f"asks for {count}, but from names only {len(requirement.people.members)}")
    return requirement


def _freeze(table: Table) -> Freeze:
    name = table.text("name")
    table.where += f' "{name}"' if name else ""
    freeze = Freeze(
        name=name,
        when=_when(table),
        runbook=table.names("runbook", ("*",)),
        target=table.names("target", ("*",)),
        exempt=table.names("except", ()),
    )
    table.done()
    return freeze


def _window(table: Table) -> Window:
    name = table.text("name")
    table.where += f' "{name}"' if name else ""
    window = Window(
        name=name,
        when=_when(table),
        runbook=table.names("runbook", ("*",)),
        target=table.names("target", ("*",)),
    )
    table.done()
    return window


def _when(table: Table) -> Once | Weekly:
    nothing = Weekly(start=0, end=0, zone=UTC)
    if table.has("every") and not (table.has("from") or table.has("until")):
        return _weekly(table) or nothing
    if table.has("every"):
        table.wrong("every", "cannot stand beside from and until")
        table.taken |= {"every", "timezone", "from", "until"}
        return nothing
    start, end = table.moment("from"), table.moment("until")
    if start is None or end is None:
        return nothing
    if start >= end:
        table.wrong("until", "must be later than from")
    return Once(start=start, end=end)


def _weekly(table: Table) -> Weekly | None:
    written, zone = table.text("every"), _zone(table)
    parts = _WEEKLY.fullmatch(written.strip())
    if parts is None or parts[1].lower() not in _DAYS or parts[4].lower() not in _DAYS:
        table.wrong("every", 'must read like "fri 16:00 - mon 08:00", days as mon tue wed thu fri sat sun')
        return None
    start, end = (
        (_DAYS.index(day.lower()) * 24 + int(hour)) * 60 + int(minute)
        for day, hour, minute in (parts.groups()[:3], parts.groups()[3:])
    )
    if start == end:
        table.wrong("every", "begins and ends at the same minute")
    return Weekly(start=start, end=end, zone=zone)


def _zone(table: Table) -> tzinfo:
    name = table.text("timezone")
    if name in {"", "UTC"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        table.wrong(
            "timezone", f'is "{name}", which this machine does not know; "Europe/Berlin" and "UTC" are examples'
        )
        return UTC
