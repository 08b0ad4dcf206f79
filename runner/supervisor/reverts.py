"""Reverts: from the wish to undo a run to what its plan says, and what the record of that run gives for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runner.digest import Json, sha256
from runner.errors import IntegrityError, RequestError
from runner.evidence import layout, revertible
from runner.evidence.attempts import Attempted, attempts, standing
from runner.ledger.bodies import Plan as PlanBody
from runner.ledger.bodies import Status
from runner.ledger.event import Event
from runner.plan.draft import Terms
from runner.plan.plan import Plan, Undoing
from runner.plan.revert import draft_revert
from runner.plan.run import Run, RunState, fold, values_given
from runner.request.request import Request
from runner.runbook import reader
from runner.runbook.runbook import Runbook
from runner.supervisor.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """What the record of the reverted run gives: recorded results, and what its plan cells showed before it."""

    records: Mapping[str, Json]
    seen: Mapping[str, str]


def drafted(desk: Desk, request: Request, *, terms: Terms) -> tuple[Runbook, Plan]:
    """The plan of a revert before it was rehearsed, and the runbook at the commit of the run that it undoes.

    Raises:
        RequestError: with everything that keeps the run from being reverted.
    """
    doing = f"planning the revert of {request.revert_of}"
    events = desk.ledger.cache.events(request.revert_of)
    if not events:
        raise RequestError(doing, "there is no such run", hint="see: runbook log")
    run, old = fold(events), desk.plan(fold(events))
    runbook = _runbook(desk, old)
    left = standing(_attempts(desk, events))
    wrong = revertible.why_not(run, old, runbook=runbook, standing=left)
    reverted = already(desk, run.id)
    reasons = "; ".join([*wrong, *([reverted] if reverted else [])])
    last = left.previous
    if reasons or last is None or last.manifest is None:
        raise RequestError(doing, reasons or "it left no manifest", hint=f"see what it did: runbook show {run.id}")
    undoes = Undoing(
        attempt=last.attempt,
        manifest=last.manifest,
        changes=tuple(cell.id for cell in revertible.undone(runbook.cells, left)),
        fingerprint=old.rehearsal.fingerprint,
    )
    lost = revertible.irreversible(runbook, left)
    plan = draft_revert(
        old,
        undoes=undoes,
        irreversible=lost,
        asked=request.comment,
        key=request.key,
        terms=terms,
        given=values_given(run),
    )
    return runbook, plan


def already(desk: Desk, run: str) -> str:
    """Say which revert of a run is under way, done, or stuck half-way; empty if there is none."""
    planned = next((event.seq for event in desk.ledger.cache.events(run)), 0)
    for event, _ in desk.ledger.cache.since(planned):
        if not isinstance(event.body, PlanBody) or event.body.revert_of != run or event.run is None:
            continue
        other = fold(desk.ledger.cache.events(event.run))
        said = _standing(desk, other)
        if said:
            return f"run {other.id} {said}"
    return ""


def _standing(desk: Desk, other: Run) -> str:
    if not other.over:
        return f"reverts it already, and is {other.state.value}"
    if other.outcome is Status.SUCCEEDED:
        return "has reverted it"
    left = standing(_attempts(desk, desk.ledger.cache.events(other.id)))
    if left.begun or left.doubts:
        return f"has begun to revert it and is {other.state.value}: look at that one, and resume it if it can be"
    return ""


def still(desk: Desk, plan: Plan) -> bool:
    """Whether the run that a plan undoes is as the plan has it; true of a plan that undoes none."""
    if plan.revert_of is None or plan.undoes is None:
        return True
    old = fold(desk.ledger.cache.events(plan.revert_of))
    return old.state is RunState.FINISHED and old.attempt == plan.undoes.attempt


def read(desk: Desk, plan: Plan) -> Old:
    """What the record gives for a revert: exactly what its plan names by digest.

    Raises:
        IntegrityError: if it is not that.
    """
    if plan.revert_of is None or plan.undoes is None:
        raise TypeError(f"run {plan.run} reverts nothing")
    path = layout.manifest_file(plan.revert_of, plan.undoes.attempt)
    data = desk.workspace.objects.read(desk.ledger.tip or "", path) or b""
    if sha256(data) != plan.undoes.manifest:
        raise IntegrityError(f"reading the record of {plan.revert_of}", f"{path} is not the manifest of the plan")
    events = desk.ledger.cache.events(plan.revert_of)
    return Old(records=standing(_attempts(desk, events)).records, seen=desk.plan(fold(events)).rehearsal.outputs)


def _attempts(desk: Desk, events: Iterable[Event]) -> tuple[Attempted, ...]:
    return attempts(events, lambda path: desk.workspace.objects.read(desk.ledger.tip or "", path))


def _runbook(desk: Desk, old: Plan) -> Runbook:
    """The runbook of the run that is undone, exactly as it ran."""
    source, objects = old.runbook, desk.workspace.objects
    content = objects.read(source.commit, source.path) or b""
    if sha256(content) != source.sha256:
        raise IntegrityError(f"reading {source.path}", f"at {source.commit[:12]} it is not the runbook of the plan")

    def beside(path: str) -> bytes | None:
        return objects.read(source.commit, path)

    return reader.read(content, name=source.name, path=source.path, commit=source.commit, beside=beside)
