"""What each event says to the index: SQL and nothing else. Whether the event may be believed was settled before."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import msgspec

from runner.audit.rows import Changed
from runner.digest import parse
from runner.evidence.manifest import Manifest
from runner.execution.outcome import began
from runner.execution.phases import CHANGING
from runner.execution.record import FORWARD
from runner.ledger import bodies
from runner.ledger.event import Event
from runner.plan.plan import Plan
from runner.plan.run import RunState


class Entries:
    """Writes what events say; `data` is the file that came with the current one."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.data = b""

    def take(self, event: Event, commit: str) -> None:
        """Enter one event."""
        if event.run is None:
            return
        run, body = event.run, event.body
        match body:
            case bodies.Plan():
                self._plan(event, body, run)
            case bodies.Approve():
                self._person(body.said.by, run, role="approver", approval=event.seq)
            case bodies.Revoke():
                self._do("DELETE FROM person WHERE run = ? AND approval = ?", run, body.approval)
            case bodies.Start():
                self._start(event, body, run)
            case bodies.Finish() | bodies.Late():
                self._end(event, body, run)
            case bodies.Interrupt():
                self._do("UPDATE attempt SET interrupt = ? WHERE start = ?", event.seq, body.start)
                self._over(run, RunState.INTERRUPTED, event, message=body.reason)
            case bodies.Resolve():
                self._resolve(event, body, run)
            case bodies.Resume():
                sql = "UPDATE run SET state = ?, ended_at = NULL, outcome = NULL, rollback = NULL, message = ''"
                self._do(f"{sql} WHERE run = ?", RunState.PLANNED.value, run)
            case _:
                self._never_started(event, run)
        self._do("INSERT OR REPLACE INTO event VALUES (?, ?, ?)", run, event.seq, commit)
        self._do("UPDATE run SET last = ?, commit_id = ? WHERE run = ?", event.seq, commit, run)
        last = "(SELECT max(start) FROM attempt WHERE run = ?)"
        self._do(f"UPDATE attempt SET commit_id = ? WHERE start = {last}", commit, run)  # noqa: S608 - the line above

    def _never_started(self, event: Event, run: str) -> None:
        match event.body:
            case bodies.Reject() as body:
                self._over(run, RunState.REJECTED, event, message=body.reason)
            case bodies.Expire():
                self._over(run, RunState.EXPIRED, event)
            case bodies.Cancel() as body if self._state(run) == RunState.PLANNED.value:
                self._over(run, RunState.CANCELLED, event, message=body.reason)
            case _:
                pass

    def _do(self, sql: str, *values: object) -> None:
        self._db.execute(sql, values)

    def _state(self, run: str) -> str | None:
        row = self._db.execute("SELECT state FROM run WHERE run = ?", (run,)).fetchone()
        return row[0] if row else None

    def _plan(self, event: Event, body: bodies.Plan, run: str) -> None:
        plan = _read(Plan, self.data)
        targets = plan.targets if plan else body.locks
        row: dict[str, Any] = {
            "run": run,
            "runbook": body.runbook,
            "title": plan.title if plan else body.runbook,
            "risk": body.risk,
            "requester": body.said.by,
            "issue": body.issue,
            "state": RunState.PLANNED.value,
            "message": "",
            "planned_at": event.time,
            "attempt": 0,
            "plan_digest": body.plan_digest,
            "emergency": plan.emergency if plan else "",
            "break_glass": plan.break_glass if plan else "",
            "targets": json.dumps(targets),
            "event": event.seq,
        }
        marks = ", ".join(f":{name}" for name in row)
        self._db.execute(f"INSERT OR REPLACE INTO run ({', '.join(row)}) VALUES ({marks})", row)  # noqa: S608 - our own names
        self._person(body.said.by, run, role="requester", approval=-1)
        self._db.executemany(
            "INSERT OR IGNORE INTO target VALUES (?, ?, ?)", [(target, event.seq, run) for target in targets]
        )

    def _person(self, person: str, run: str, *, role: str, approval: int) -> None:
        sql = "INSERT OR IGNORE INTO person SELECT ?, event, run, ?, ? FROM run WHERE run = ?"
        self._do(sql, person, role, approval, run)

    def _over(self, run: str, state: RunState, event: Event, *, message: str = "") -> None:
        sql = "UPDATE run SET state = ?, ended_at = ?, message = ? WHERE run = ?"
        self._do(sql, state.value, event.time, message, run)

    def _start(self, event: Event, body: bodies.Start, run: str) -> None:
        sql = "UPDATE run SET state = ?, started_at = ?, ended_at = NULL, attempt = ? WHERE run = ?"
        self._do(sql, RunState.STARTED.value, event.time, body.attempt, run)
        self._do(
            "INSERT OR REPLACE INTO attempt (start, run, attempt, started_at, message, changed, approvals)"
            " VALUES (?, ?, ?, ?, '', ?, ?)",
            event.seq, run, body.attempt, event.time, Changed.UNKNOWN.value, json.dumps(body.approvals),
        )  # fmt: skip

        sql = "INSERT OR IGNORE INTO touched SELECT value, ?, run FROM run, json_each(run.targets) WHERE run = ?"
        self._do(sql, event.seq, run)

    def _end(self, event: Event, body: bodies.Finish | bodies.Late, run: str) -> None:
        changed = _changed(_read(Manifest, self.data))
        values = (event.time, body.seconds, body.outcome.value, body.rollback.value, body.message)
        self._do(
            "UPDATE attempt SET ended_at = ?, seconds = ?, outcome = ?, rollback = ?, message = ?, changed = ?"
            " WHERE start = ?",
            *values, changed.value, body.start,
        )  # fmt: skip
        if isinstance(body, bodies.Finish):
            self._do(
                "UPDATE run SET state = ?, ended_at = ?, seconds = ?, outcome = ?, rollback = ?, message = ?"
                " WHERE run = ?",
                RunState.FINISHED.value, *values, run,
            )  # fmt: skip

    def _resolve(self, event: Event, body: bodies.Resolve, run: str) -> None:
        changed = Changed.NO if body.decision is bodies.Resolution.DID_NOT_RUN else Changed.YES
        self._do(
            "UPDATE attempt SET resolution = ?, ended_at = coalesce(ended_at, ?),"
            " changed = CASE changed WHEN 'unknown' THEN ? ELSE changed END WHERE interrupt = ?",
            body.decision.value, event.time, changed.value, body.interrupt,
        )  # fmt: skip
        self._over(run, RunState.RESOLVED, event, message=body.reason)


def _changed(manifest: Manifest | None) -> Changed:
    if manifest is None:
        return Changed.UNKNOWN
    acting = [cell for cell in manifest.result.cells if cell.phase == FORWARD and cell.role in CHANGING]
    return Changed.YES if any(began(cell) for cell in acting) else Changed.NO


def _read(kind: type[msgspec.Struct], data: bytes) -> Any:
    """A file as far as it can be read: the index answers questions, and verification judges formats."""
    try:
        return parse(kind, data)
    except (msgspec.MsgspecError, RecursionError):
        return None
