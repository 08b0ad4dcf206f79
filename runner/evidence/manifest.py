"""The manifest: the readable record of one attempt. Its digest is in the signed event that adds it.

It differs from the first draft of its schema where that named things the run does not know: cells have their full fate
instead of three counters, approvals name the event that recorded them, and persons are what policy calls them.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from runner.digest import Digest, Json, Wire, readable, sha256
from runner.execution.outcome import Answered, CellFate, Environment, Outcome, Redaction
from runner.ledger.bodies import Approve, Cancel, Rollback, Start, Status
from runner.ledger.event import Event
from runner.ledger.merged import Merged
from runner.plan.plan import Parameter, Plan, Requested, Source


class Approval(Wire):
    """Who said yes, when, and in which event."""

    by: str
    at: str
    event: int
    reason: str


class Execution(Wire):
    """Where and how the cells ran. Times are ISO 8601 in UTC; `seconds` is from a monotonic clock."""

    executor: str
    owner: str
    start_event: int
    isolation: str
    started_at: str
    finished_at: str
    seconds: float
    environment: Environment | None
    targets: tuple[str, ...]


class Cancelled(Wire):
    """Whose word ended the attempt: the cancel event, what it said of the changes (`leave` or `rollback`), and why."""

    by: str
    event: int
    mode: str
    reason: str


class Result(Wire):
    """How it ended."""

    outcome: Status
    exit_reason: str
    rollback: Rollback
    message: str
    cells: tuple[CellFate, ...]
    records: dict[str, Json]
    moved: str
    withheld: bool
    restored: bool | None = None
    cancelled: Cancelled | None = None
    """None also where no person's word is on record: then the runner's own process was asked to end."""
    answers: tuple[Answered, ...] = ()
    """What people answered while it ran, in order."""


class Previous(Wire):
    """The attempt before: its number and its manifest (None where its worker was lost and left none).

    `done` maps the cells that are not repeated, because they were answered ok and not undone, to their attempt.
    """

    attempt: int
    manifest: Digest | None
    done: dict[str, int] = msgspec.field(default_factory=dict)


class File(Wire):
    """One file of this attempt, relative to the run's folder."""

    path: str
    sha256: Digest
    size: int
    media_type: str
    storage: str


class Manifest(Wire):
    """One attempt of one run, whole."""

    run: str
    attempt: int
    reverts: str | None
    plan_digest: Digest
    title: str
    risk: str
    runbook: Source
    parameters: dict[str, Parameter]
    request: Requested
    approvals: tuple[Approval, ...]
    execution: Execution
    result: Result
    files: tuple[File, ...]
    redactions: tuple[Redaction, ...]
    previous: Previous | None = None
    """The attempt before this one; None for the first."""
    merged: Merged | None = None
    """The merge that approved the change to files in Git which the plan proposes; None where it proposes none."""
    schema: int = 1

    def to_bytes(self) -> bytes:
        """The exact bytes that are stored and named by the signed event."""
        return readable(self)


_MEDIA = {
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".png": "image/png",
    ".html": "text/html",
    ".svg": "image/svg+xml",
}


def make(
    plan: Plan,
    *,
    digest: Digest,
    start: Event,
    approvals: tuple[Event, ...],
    outcome: Outcome,
    files: Mapping[str, bytes],
    previous: Previous | None = None,
    cancel: Event | None = None,
) -> Manifest:
    """Put the record of one attempt together.

    Args:
        plan: what was approved.
        digest: its digest.
        start: the start event of this attempt.
        approvals: the approve events that the start names.
        outcome: the worker's word.
        files: path inside the run's folder to bytes, without the manifest itself.
        previous: the attempt before; None for the first.
        cancel: the cancel event of this attempt, if there was one.
    """
    body = start.body
    if not isinstance(body, Start):
        raise TypeError("an attempt begins with a start event")
    return Manifest(
        run=plan.run,
        attempt=body.attempt,
        reverts=plan.revert_of,
        plan_digest=digest,
        title=plan.title,
        risk=plan.risk,
        runbook=plan.runbook,
        parameters=plan.parameters,
        request=plan.requested,
        approvals=tuple(_approval(event) for event in approvals),
        execution=_execution(plan, body, number=start.seq, outcome=outcome),
        result=_result(outcome, cancel),
        files=tuple(_file(name, data) for name, data in sorted(files.items())),
        redactions=outcome.redactions,
        previous=previous,
        merged=body.merged,
    )


def _execution(plan: Plan, claim: Start, *, number: int, outcome: Outcome) -> Execution:
    return Execution(
        executor=claim.executor,
        owner=claim.owner,
        start_event=number,
        isolation=outcome.isolation,
        started_at=outcome.started_at,
        finished_at=outcome.finished_at,
        seconds=outcome.seconds,
        environment=outcome.environment,
        targets=plan.targets,
    )


def _result(outcome: Outcome, cancel: Event | None) -> Result:
    return Result(
        outcome=outcome.status,
        exit_reason=outcome.exit_reason.value,
        rollback=outcome.rollback,
        message=outcome.message,
        cells=outcome.cells,
        records=outcome.records,
        moved=outcome.moved,
        withheld=outcome.withheld,
        restored=outcome.restored,
        cancelled=cancelled(cancel) if outcome.status is Status.CANCELLED else None,
        answers=outcome.answers,
    )


def cancelled(event: Event | None) -> Cancelled | None:
    """What a manifest says of the cancel event that ended its attempt."""
    body = event.body if event else None
    if event is None or not isinstance(body, Cancel):
        return None
    return Cancelled(by=body.said.by, event=event.seq, mode=body.mode, reason=body.reason)


def _approval(event: Event) -> Approval:
    body = event.body
    if not isinstance(body, Approve):
        raise TypeError(f"event {event.seq} is no approval")
    return Approval(by=body.said.by, at=event.time, event=event.seq, reason=body.reason)


def _file(name: str, data: bytes) -> File:
    ending = name[name.rfind(".") :] if "." in name else ""
    media = _MEDIA.get(ending, "application/octet-stream")
    return File(path=name, sha256=sha256(data), size=len(data), media_type=media, storage="git")
