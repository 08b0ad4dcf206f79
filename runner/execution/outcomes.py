"""Making the outcome: from an attempt's record to the files that are sealed, through the scan gate."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from runner.digest import readable, sha256
from runner.execution import executed, fingerprint, kernels, scan, toolkit_copy
from runner.execution.environments import Built
from runner.execution.executed import Shown
from runner.execution.order import Mode, Order
from runner.execution.outcome import Answered, CellFate, Environment, ExitReason, Outcome, Redaction
from runner.execution.outputs import Kept
from runner.ledger.bodies import Rollback, Status

OUTCOME = "outcome.json"
EXECUTED = "executed.ipynb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """All that the outcome is made of, beside what is kept of the cells."""

    reason: ExitReason | None
    message: str
    rollback: Rollback
    moved: str
    cells: tuple[CellFate, ...]
    shown: Mapping[str, Shown]
    plan_outputs: dict[str, str]
    isolation: str
    started: datetime
    finished: datetime
    seconds: float
    answers: tuple[Answered, ...] = ()
    restored: bool | None = None
    built: Built | None = None
    """The environment of a lock file; None for the runner's own packages."""


def files(order: Order, notebook: bytes, *, ending: Ending, kept: Kept) -> tuple[Outcome, dict[str, bytes]]:
    """Make the outcome and every file of it, and withhold outputs that may not leave.

    Args:
        order: what was carried out.
        notebook: the runbook's exact bytes.
        ending: how it went.
        kept: artifacts, records and redactions of all cells.
    """
    made = _made(order, notebook, ending=ending, kept=kept)
    written = (notebook.decode("utf-8", "replace"), order.injected, *(one.source for one in ending.answers))
    found = scan.gate(made[1], masker=kept.masker, public="\n".join(written))
    if not found:
        return made
    rules = sorted({one.rule for hits in found.values() for one in hits})
    return _withheld(order, notebook, ending=ending, kept=kept, rules=rules, where=sorted(found))


def _withheld(
    order: Order, notebook: bytes, *, ending: Ending, kept: Kept, rules: list[str], where: list[str]
) -> tuple[Outcome, dict[str, bytes]]:
    """Make it again with nothing in it that a cell said."""
    failed = ending.reason is not None or order.mode is Mode.REHEARSE
    # A rehearsal without its outputs cannot be approved; a run's own result stays what it was.
    reason = (ending.reason or ExitReason.WITHHELD) if failed else None
    said = f"outputs are withheld: {', '.join(rules)} in {', '.join(where)}"
    found = tuple(Redaction(rule=rule, count=1, where=tuple(where)) for rule in rules)
    silent = _silent(ending, reason=reason, message=said)
    return _made(order, notebook, ending=silent, kept=Kept(masker=kept.masker), withheld=True, more=found)


def without_outputs(order: Order, notebook: bytes, *, ending: Ending, kept: Kept) -> tuple[Outcome, dict[str, bytes]]:
    """Make the outcome for a disk that has no room for what the cells said: small, failed, and true cell by cell."""
    said = "the disk is full, so the outputs are left out"
    silent = _silent(ending, reason=ending.reason or ExitReason.INTERNAL_ERROR, message=said)
    return _made(order, notebook, ending=silent, kept=Kept(masker=kept.masker))


def _silent(ending: Ending, *, reason: ExitReason | None, message: str) -> Ending:
    cells = tuple(msgspec.structs.replace(cell, error="left out" if cell.error else "") for cell in ending.cells)
    return replace(ending, reason=reason, message=message, moved="", cells=cells, shown={}, plan_outputs={})


def _made(
    order: Order,
    notebook: bytes,
    *,
    ending: Ending,
    kept: Kept,
    withheld: bool = False,
    more: tuple[Redaction, ...] = (),
) -> tuple[Outcome, dict[str, bytes]]:
    saved = executed.notebook(notebook, injected=order.injected, shown=ending.shown, answers=ending.answers)
    outcome = Outcome(
        status=status(ending.reason),
        exit_reason=ending.reason or ExitReason.ALL_CELLS_RAN,
        rollback=ending.rollback,
        started_at=_time(ending.started),
        finished_at=_time(ending.finished),
        seconds=round(ending.seconds, 3),
        message=ending.message,
        isolation=ending.isolation,
        environment=environment(ending.built),
        cells=ending.cells,
        fingerprint=fingerprint.fingerprint(ending.plan_outputs),
        moved=ending.moved,
        records=kept.records,
        artifacts=tuple(kept.artifacts),
        redactions=(*kept.masker.redactions(), *more),
        withheld=withheld,
        notebook=sha256(saved),
        plan_outputs=ending.plan_outputs,
        answers=ending.answers,
        restored=ending.restored,
    )
    return outcome, {OUTCOME: readable(outcome), EXECUTED: saved, **kept.files}


def refused(message: str, *, now: datetime) -> tuple[Outcome, dict[str, bytes]]:
    """Make the outcome of an order that could not be believed: nothing ran, and nothing of it is repeated."""
    saved = readable({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    outcome = Outcome(
        status=Status.FAILED,
        exit_reason=ExitReason.INTERNAL_ERROR,
        rollback=Rollback.NOT_NEEDED,
        started_at=_time(now),
        finished_at=_time(now),
        seconds=0.0,
        message=message,
        isolation="none",
        environment=environment(),
        cells=(),
        fingerprint=None,
        moved="",
        records={},
        artifacts=(),
        redactions=(),
        withheld=False,
        notebook=sha256(saved),
        plan_outputs={},
    )
    return outcome, {OUTCOME: readable(outcome), EXECUTED: saved}


def as_sent(outcome: Outcome, notebook: bytes, *, injected: str) -> tuple[Outcome, bytes]:
    """Say of an outcome without a cell that the notebook is the one that was sent, and return that beside it.

    Whoever refused an order, or never began it, cannot say what it would have executed; whoever made the order can.
    """
    saved = executed.notebook(notebook, injected=injected, shown={})
    return msgspec.structs.replace(outcome, notebook=sha256(saved)), saved


def status(reason: ExitReason | None) -> Status:
    """Say which of the four ways of ending a reason belongs to; no reason is success."""
    match reason:
        case None | ExitReason.ALL_CELLS_RAN:
            return Status.SUCCEEDED
        case ExitReason.CELL_TIMEOUT | ExitReason.RUN_TIMEOUT:
            return Status.TIMED_OUT
        case ExitReason.CANCELLED:
            return Status.CANCELLED
        case _:
            return Status.FAILED


def environment(built: Built | None = None) -> Environment:
    """Describe what cells run in, without the host's name; its Python is ours, whoever built it."""
    packages = "\n".join(built.packages) if built else kernels.packages()
    return Environment(
        python=platform.python_version(),
        kernel=built.kernel if built else kernels.kernel_version(),
        platform=f"{sys.platform}-{platform.machine()}",
        packages=sha256(packages.encode()),
        toolkit=toolkit_copy.digest(toolkit_copy.files()),
        lock=built.lock if built else None,
    )


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
