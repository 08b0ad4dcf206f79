"""Whether a run can be reverted, and what that undoes: every change of it that began has a rollback cell, or it cannot.

Pure. A revert that could only take back some of it is refused when it is asked for, and not found out half-way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.evidence.attempts import Standing
from runner.execution.phases import undoing
from runner.ledger.bodies import Rollback
from runner.plan.plan import Plan
from runner.plan.run import Run, RunState
from runner.runbook.cells import Cell
from runner.runbook.runbook import Runbook


def undone(cells: Sequence[Cell], standing: Standing) -> tuple[Cell, ...]:
    """The change cells that a revert undoes, last first."""
    return tuple(cell for cell in reversed(cells) if cell.id in standing.begun)


def why_not(run: Run, plan: Plan, *, runbook: Runbook, standing: Standing) -> tuple[str, ...]:
    """Say everything that keeps a run from being reverted; nothing if it can be.

    Args:
        run: the run.
        plan: its plan.
        runbook: its runbook, at the plan's commit.
        standing: where its attempts left it.
    """
    if plan.revert_of:
        return (f"it is itself the revert of {plan.revert_of}: ask for {plan.runbook.name} anew instead",)
    if run.state is RunState.RESOLVED:
        return ("its owner was lost, so no outcome says what it changed: look, and ask for what is needed by name",)
    if run.state is not RunState.FINISHED:
        return (f"it is {run.state.value}; only a run that has ended is reverted",)
    merged = plan.proposal is not None  # what people merged is there, whatever its cells did or undid
    if run.rollback is Rollback.COMPLETE and not merged:
        return ("its changes were undone when it ended",)
    if not standing.begun and not merged:
        return ("it changed nothing",)
    return (*standing.doubts, *_obstacles(runbook, standing))


def _obstacles(runbook: Runbook, standing: Standing) -> Iterator[str]:
    if runbook.header.irreversible:
        yield f"the runbook is irreversible: {runbook.header.irreversible}"
    for cell in undone(runbook.cells, standing):
        if cell.options.irreversible:
            yield f"{cell.name} is irreversible: {cell.options.irreversible}"
        elif not any(undoing(runbook.cells, [cell.index])):
            yield f"{cell.name} has no rollback cell"


def irreversible(runbook: Runbook, standing: Standing) -> str | None:
    """What the rollback cells themselves cannot take back, in their author's words."""
    changes = [cell.index for cell in undone(runbook.cells, standing)]
    steps = {one.id for own in undoing(runbook.cells, changes) for one in own}
    words = [cell.options.irreversible for cell in runbook.cells if cell.id in steps and cell.options.irreversible]
    return "; ".join(words) or None
