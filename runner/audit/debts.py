"""What emergencies owe, as the record alone tells it: for `log`, `show` and `verify`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from runner.approval.approval import approvals
from runner.approval.owed import Owed, owed
from runner.audit.code import Code
from runner.audit.index import Index
from runner.audit.rows import RunRow
from runner.digest import Digest, sha256
from runner.evidence import layout
from runner.ledger.bodies import Start
from runner.ledger.envelope import unchecked_payload
from runner.ledger.event import Event, decode, path
from runner.plan.plan import Plan, read
from runner.repository.objects import Objects


def debt(plan: Plan, digest: Digest, events: Iterable[Event], *, code: Code | None) -> Owed | None:
    """What a run owes, from its events; None if nothing, or if it never started.

    Args:
        plan: the run's plan.
        digest: its digest.
        events: all of the run's events that start, approve or revoke.
        code: the code branch, for the policy of its start; None where the source has none.
    """
    known = tuple(events)
    starts = [event.body for event in known if isinstance(event.body, Start)]
    if not starts:
        return None
    policy = code.policy(starts[-1].policy_commit) if code else None
    given = approvals((event.seq, event.time, event.body) for event in known)
    return owed(policy, plan=plan, digest=digest, approvals=given)


def with_debts(
    rows: Sequence[RunRow], *, index: Index, objects: Objects, branch: str, now: datetime
) -> tuple[RunRow, ...]:
    """The same rows, those of emergencies with what they still owe; only these are looked at more closely.

    Args:
        rows: of the index.
        index: up to date.
        objects: a reader of the same clone.
        branch: the protected branch.
        now: the time, for what is overdue.
    """
    if not any(row.emergency for row in rows):
        return tuple(rows)
    main = objects.tip(branch)
    code = Code(objects, main) if main else None
    return tuple(_with_debt(row, index=index, objects=objects, code=code, now=now) for row in rows)


def _with_debt(row: RunRow, *, index: Index, objects: Objects, code: Code | None, now: datetime) -> RunRow:
    data = objects.read(index.tip or "", layout.plan_file(row.run)) if row.emergency else None
    if data is None:
        return row
    found = debt(read(data), sha256(data), _events(index, objects, row.run), code=code)
    return msgspec.structs.replace(row, owes=found.words(now)) if found else row


def _events(index: Index, objects: Objects, run: str) -> Iterator[Event]:
    for number, commit in index.events(run):
        data = objects.read(commit, path(number))
        if data is not None:
            yield decode(unchecked_payload(data), digest=sha256(data))
