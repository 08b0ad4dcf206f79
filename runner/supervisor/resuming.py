"""What the next attempt rests on: where earlier ones left the run, and why there can be no next one."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from runner.errors import RequestError
from runner.evidence.attempts import Attempted, Standing, attempts, standing
from runner.evidence.manifest import Previous
from runner.execution import phases, toolkit_copy
from runner.execution.order import Carried, Mode
from runner.execution.outcome import Fate
from runner.execution.phases import Step
from runner.execution.record import FORWARD
from runner.ledger.bodies import Resume, Rollback
from runner.ledger.event import from_iso
from runner.plan.plan import Plan
from runner.plan.run import Run, not_resumable
from runner.publication.course import THE_WHOLE_RUNBOOK, Course
from runner.runbook import catalog, cells
from runner.runbook.cells import Cell
from runner.supervisor import reverts
from runner.supervisor.desk import Desk
from runner.supervisor.planning import plan_files

ANEW = "ask for it anew in a new comment"


def left_by(desk: Desk, run: str) -> tuple[Attempted, ...]:
    """Every attempt of a run, as the record has it."""

    def read(path: str) -> bytes | None:
        return desk.workspace.objects.read(desk.ledger.tip or "", path)

    return attempts(desk.ledger.cache.events(run), read)


def carried(desk: Desk, run: Run, plan: Plan) -> Carried:
    """What the current attempt is given.

    Raises:
        IntegrityError: if the record of the run that is reverted is not what the plan names.
    """
    earlier = _before(left_by(desk, run.id) if run.attempt > 1 else (), run.attempt)
    old = reverts.read(desk, plan) if plan.undoes else None
    records = {**(old.records if old else {}), **earlier.records}
    return Carried(
        done=earlier.done,
        records=records,
        moved_by_us=bool(earlier.begun),
        undo=plan.undoes.changes if plan.undoes else (),
        restored=old.seen if old else {},
    )


def previous(desk: Desk, run: Run) -> Previous | None:
    """The attempt before the current one, for its manifest; None for the first."""
    return _before(left_by(desk, run.id) if run.attempt > 1 else (), run.attempt).previous


def course(desk: Desk, run: Run, plan: Plan) -> Course:
    """What the current attempt goes through, for people; the whole runbook if nothing happened before it."""
    asked = run.resumed.body if run.resumed else None
    if not isinstance(asked, Resume) and plan.undoes is None:
        return THE_WHOLE_RUNBOOK
    names = {cell.id: cell.name for cell in _cells(desk, plan)}
    earlier = _before(left_by(desk, run.id) if run.attempt > 1 else (), run.attempt)
    steps = [step.id for step in _steps(desk, plan)]
    undoes = plan.undoes.changes if plan.undoes else ()
    return Course(
        attempt=max(run.attempt, 1),
        by=asked.said.by if isinstance(asked, Resume) else "",
        reason=asked.reason if isinstance(asked, Resume) else "",
        done={names.get(one, one): number for one, number in earlier.done.items()},
        left=tuple(names[one] for one in steps if one not in earlier.done),
        doubtful=tuple(names.get(one, one) for one in earlier.begun if one not in earlier.done),
        reverts=plan.revert_of or "",
        undoes=tuple(names.get(one, one) for one in undoes),
        proves=plan.undoes is not None and plan.undoes.fingerprint is not None,
    )


def _cells(desk: Desk, plan: Plan) -> tuple[Cell, ...]:
    content = desk.workspace.objects.read(plan.runbook.commit, plan.runbook.path) or b""
    return cells.read(msgspec.json.decode(content))


def _steps(desk: Desk, plan: Plan) -> tuple[Step, ...]:
    """What goes forward in a whole attempt of a plan."""
    mode, undo = (Mode.REVERT, plan.undoes.changes) if plan.undoes else (Mode.RUN, ())
    return phases.forward(_cells(desk, plan), mode=mode, undo=undo)


def _before(found: Iterable[Attempted], attempt: int) -> Standing:
    return standing(one for one in found if one.number < attempt)


def refusal(desk: Desk, run: Run, plan: Plan) -> str:
    """Say why a run cannot be resumed; empty if it can. Each reason names what to do instead."""
    wrong = not_resumable(run)
    if wrong:
        return wrong
    if desk.now() >= from_iso(plan.expires_at):
        return f"its plan expired at {plan.expires_at}: {ANEW}"
    reverted = reverts.already(desk, run.id)
    if reverted:
        return reverted
    found = left_by(desk, run.id)
    doubts = standing(found).doubts
    if doubts:
        return f"{doubts[0]}: look, and {ANEW}"
    return _changed_since(desk, plan) or _nothing_left(desk, plan, found[-1])


def _changed_since(desk: Desk, plan: Plan) -> str:
    """What was approved can only go on as it was."""
    if not plan.revert_of:
        try:
            now = catalog.find(desk.workspace.objects, plan.runbook.name, commit=desk.workspace.main).digest
        except RequestError as error:
            return f"its runbook cannot be read any more ({error.wrong}): {ANEW}"
        if now != plan.runbook.sha256:
            return f"{plan.runbook.path} was changed since the plan, which is of another one: {ANEW}"
    if toolkit_copy.digest(toolkit_copy.files()) != plan.toolkit:
        return f"the runner's toolkit was changed since the plan: {ANEW}"
    try:
        plan_files(desk, plan)
    except RequestError as error:
        return f"{error.wrong}: {ANEW}"
    return ""


def _nothing_left(desk: Desk, plan: Plan, last: Attempted) -> str:
    """An attempt in which only what comes last failed has nothing that another one could go on with."""
    steps = _steps(desk, plan)
    ended = {cell.id for cell in last.cells or () if cell.phase == FORWARD and cell.fate in {Fate.OK, Fate.SKIPPED}}
    if last.rollback is Rollback.COMPLETE or not all(step.id in ended for step in steps):
        return ""
    return f"every cell of attempt {last.number} that goes forward was answered ok: nothing is left to do"
