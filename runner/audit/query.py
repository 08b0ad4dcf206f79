"""Questions that the record answers: which runs were there, what changed on a target, and everything about one run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime

import msgspec

from runner.audit.index import Index
from runner.audit.rows import Changed, ChangeRow, Filter, RunRow
from runner.digest import Json, Wire, parse, sha256
from runner.errors import RequestError
from runner.evidence import layout
from runner.evidence.manifest import Manifest
from runner.ledger.envelope import unchecked_payload
from runner.ledger.event import decode, iso, path
from runner.plan.plan import Plan, read
from runner.repository.objects import Objects

_RUN = (
    "r.run, r.runbook, r.title, r.risk, r.targets, r.requester, r.issue, r.state, r.outcome, r.rollback, r.message,"
    " r.planned_at, r.started_at, r.ended_at, r.seconds, r.attempt, r.plan_digest, r.emergency,"
    " r.break_glass, r.event, r.commit_id"
)
_APPROVERS = "SELECT person FROM person WHERE run = ? AND role = 'approver' ORDER BY approval"


def log(index: Index, wanted: Filter) -> tuple[RunRow, ...]:
    """Runs, newest first."""
    source, where, values = _conditions(wanted)
    limit = "" if wanted.limit is None else f" LIMIT {int(wanted.limit)}"
    order = "t.event" if wanted.target is not None else "r.event"
    # The parts of this text are the constants of this module; every value is a parameter.
    sql = f"SELECT {_RUN} FROM {source}{where} ORDER BY {order} DESC{limit}"  # noqa: S608 - as said above
    return tuple(_run_row(index.db, row) for row in index.db.execute(sql, values))


def changes(
    index: Index, *, target: str, since: datetime | None = None, limit: int | None = None
) -> tuple[ChangeRow, ...]:
    """What changed on a target, newest first: attempts that began to change it, and those of which nobody knows."""
    sql = (
        "SELECT r.run, a.attempt, r.runbook, r.title, r.targets, r.requester, r.issue, a.changed, a.outcome,"
        " a.rollback, a.resolution, a.message, a.started_at, a.ended_at, a.seconds, a.commit_id, a.approvals"
        " FROM touched t JOIN attempt a ON a.start = t.start JOIN run r ON r.run = t.run"
        " WHERE t.target = ?"
        " AND t.start >= (SELECT start FROM attempt WHERE started_at >= ? ORDER BY started_at, start LIMIT 1)"
        " AND a.changed != ? ORDER BY t.start DESC LIMIT ?"
    )
    values = (target, iso(since) if since else "", Changed.NO.value, -1 if limit is None else limit)
    return tuple(_change_row(index.db, row) for row in index.db.execute(sql, values))


def _conditions(wanted: Filter) -> tuple[str, str, list[object]]:
    source, where, values = "run r", list[str](), list[object]()
    if wanted.target is not None:
        # Led by the target's own runs, of which the number of an event says which are recent enough.
        source = "target t CROSS JOIN run r ON r.run = t.run AND r.event = t.event"
        first = "(SELECT event FROM run WHERE planned_at >= ? ORDER BY planned_at, event LIMIT 1)"
        where.append(f"t.target = ? AND t.event >= {first}")
        values += [wanted.target, iso(wanted.since) if wanted.since else ""]
    if wanted.person is not None:
        where.append("r.run IN (SELECT run FROM person WHERE person = ?)")
        values.append(wanted.person)
    for column, value in (("runbook", wanted.runbook), ("issue", wanted.issue), ("outcome", wanted.outcome)):
        if value is not None:
            where.append(f"r.{column} = ?")
            values.append(value)
    if wanted.since:
        where.append("r.planned_at >= ?")
        values.append(iso(wanted.since))
    if wanted.until:
        where.append("r.planned_at < ?")
        values.append(iso(wanted.until))
    return source, f" WHERE {' AND '.join(where)}" if where else "", values


def _run_row(db: sqlite3.Connection, row: tuple[object, ...]) -> RunRow:
    names = [part.split(".")[-1].strip() for part in _RUN.split(",")]
    found = dict(zip(names, row, strict=True))
    found["commit"] = found.pop("commit_id")
    found["targets"] = json.loads(str(found["targets"]))
    found["approvers"] = [name for (name,) in db.execute(_APPROVERS, (found["run"],))]
    return msgspec.convert({_camel(name): value for name, value in found.items()}, RunRow)


def _change_row(db: sqlite3.Connection, row: tuple[object, ...]) -> ChangeRow:
    names = [
        "run",
        "attempt",
        "runbook",
        "title",
        "targets",
        "requester",
        "issue",
        "changed",
        "outcome",
        "rollback",
        "resolution",
        "message",
        "started_at",
        "ended_at",
        "seconds",
        "commit",
        "approvals",
    ]
    found = dict(zip(names, row, strict=True))
    used = set(json.loads(str(found.pop("approvals"))))
    found["targets"] = json.loads(str(found["targets"]))
    sql = "SELECT person, approval FROM person WHERE run = ? AND role = 'approver' ORDER BY approval"
    found["approvers"] = [name for name, number in db.execute(sql, (found["run"],)) if number in used]
    return msgspec.convert({_camel(name): value for name, value in found.items()}, ChangeRow)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


class Said(Wire):
    """One event of a run, as a reader of its record wants it."""

    number: int
    type: str
    time: str
    by: str | None
    commit: str
    digest: str
    body: dict[str, Json]


class Description(Wire):
    """Everything about one run: its row, its plan, what was said and done, and each attempt's manifest."""

    row: RunRow
    folder: str
    plan: Plan
    events: tuple[Said, ...]
    manifests: tuple[Manifest, ...]


def find(index: Index, name: str) -> str:
    """The run that a full id, or enough of its beginning or end, means.

    Raises:
        RequestError: if it means none, or several.
    """
    safe = "".join(one for one in name if one.isalnum() or one in "-_")
    sql = "SELECT run FROM run WHERE run = ?1 OR run LIKE ?1 || '%' OR run LIKE '%' || ?1 ORDER BY event DESC LIMIT 6"
    found = [str(run) for (run,) in index.db.execute(sql, (safe,))] if safe else []
    if safe in found:
        return safe
    doing = f"finding the run {name}"
    if not found:
        raise RequestError(doing, "there is none", hint="list them with: runbook log")
    if len(found) > 1:
        raise RequestError(doing, f"it may mean {', '.join(found[:5])}", hint="write more of the id")
    return found[0]


def describe(index: Index, objects: Objects, name: str) -> Description:
    """Everything about one run.

    Args:
        index: up to date.
        objects: a reader of the same clone.
        name: the run's id, or enough of it.

    Raises:
        RequestError: if that means no run, or several.
    """
    run = find(index, name)
    (row,) = _rows(index, run)
    tip = index.tip
    plan = objects.read(tip, layout.plan_file(run)) if tip else None
    if tip is None or plan is None:
        raise RequestError(f"reading run {run}", "its plan is not in this clone", hint="fetch the evidence branch")
    manifests = [objects.read(tip, layout.manifest_file(run, attempt)) for attempt in range(1, row.attempt + 1)]
    return Description(
        row=row,
        folder=layout.run_folder(run),
        plan=read(plan),
        events=tuple(_said(objects, index, run)),
        manifests=tuple(parse(Manifest, data) for data in manifests if data is not None),
    )


def _rows(index: Index, run: str) -> tuple[RunRow, ...]:
    sql = f"SELECT {_RUN} FROM run r WHERE r.run = ?"  # noqa: S608 - the columns are this module's own
    return tuple(_run_row(index.db, row) for row in index.db.execute(sql, (run,)))


def _said(objects: Objects, index: Index, run: str) -> Iterator[Said]:
    for number, commit in index.events(run):
        data = objects.read(commit, path(number))
        if data is None:
            continue
        event = decode(unchecked_payload(data), digest=sha256(data))
        body = msgspec.to_builtins(event.body)
        said = body.get("said")
        by = said.get("by") if isinstance(said, dict) else None
        yield Said(
            number=number, type=event.type, time=event.time, by=by, commit=commit, digest=event.digest, body=body
        )
