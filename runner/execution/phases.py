"""Which cells run when: the forward pass, what undoes it, and what always comes last.

Pure; it knows roles and fates, not kernels. A rollback cell undoes the change cell before it, so the undoing goes
through the begun changes from last to first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.execution.order import Mode
from runner.execution.outcome import Fate
from runner.ledger.bodies import Rollback
from runner.runbook import questions
from runner.runbook.cells import FORWARD, REHEARSED, Cell, Role
from runner.runbook.condition import Condition
from runner.runbook.questions import Asks

SKIP_TAG = "skip-execution"
"""papermill's own tag for a cell that is not executed; it keeps its meaning here."""

INJECTED = "injected-parameters"
"""Id and tag of the cell that sets the parameters."""

ANSWER = "runbook-answer"
"""Tag of a cell that sets a parameter to what a person answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One cell to execute. The injected cell has the place of the parameters cell before it (-1 if there is none)."""

    index: int
    id: str
    role: str
    name: str
    source: str
    timeout: float | None = None
    normalise: tuple[str, ...] = ()
    retries: int = 0
    backoff: float = 0.0
    when: Condition | None = None
    goes_on: bool = False
    """Its failure does not keep later cells from running."""
    asks: Asks | None = None
    """What a person has to answer before it runs."""


def step(cell: Cell) -> Step:
    """Make a step of a notebook's cell."""
    return Step(
        index=cell.index,
        id=cell.id,
        role=cell.role.value if cell.role else "",
        name=cell.name,
        source=cell.source,
        timeout=cell.options.timeout,
        normalise=cell.options.normalise,
        retries=cell.options.retries,
        backoff=cell.options.backoff,
        when=cell.options.when,
        goes_on=cell.options.continue_on_failure,
        asks=questions.asks(cell),
    )


def runs(cell: Cell) -> bool:
    """Say whether a cell is ever executed: code with something in it that its author did not switch off."""
    return cell.role is not None and bool(cell.source.strip()) and SKIP_TAG not in cell.tags


def prelude(cells: Sequence[Cell], *, injected: str) -> tuple[Step, ...]:
    """The parameters cell and, right after it, the cell that sets the values."""
    declared = [step(cell) for cell in cells if runs(cell) and cell.role is Role.PARAMETERS]
    if not injected:
        return tuple(declared)
    place = next((cell.index for cell in cells if cell.role is Role.PARAMETERS), -1)
    name = "the run's parameters"
    taken = any(cell.id == INJECTED for cell in cells)
    cell_id = f"{INJECTED}-1" if taken else INJECTED
    return (*declared, Step(index=place, id=cell_id, role="parameters", name=name, source=injected))


CHANGING = frozenset({Role.CHANGE.value, Role.ROLLBACK.value})
"""Roles that change something: the forward pass of a run has the first, that of a revert the second."""


def forward(cells: Sequence[Cell], *, mode: Mode, undo: Iterable[str] = ()) -> tuple[Step, ...]:
    """The cells of the forward pass after the prelude, in the order in which they are executed.

    Args:
        cells: the whole notebook.
        mode: what is carried out. A revert looks as a rehearsal does, and then goes back from the last change.
        undo: of a revert, the ids of the change cells that are undone.
    """
    roles = FORWARD if mode is Mode.RUN else REHEARSED
    found = tuple(step(cell) for cell in cells if runs(cell) and cell.role in roles)
    if mode is not Mode.REVERT:
        return found
    wanted = frozenset(undo)
    changes = [cell.index for cell in cells if cell.id in wanted]
    return (*found, *(one for steps in undoing(cells, changes) for one in steps))


def look(cells: Sequence[Cell]) -> tuple[Step, ...]:
    """The plan cells: what shows the state."""
    return tuple(step(cell) for cell in cells if runs(cell) and cell.role is Role.PLAN)


def parts(steps: Sequence[Step]) -> tuple[tuple[Step, ...], ...]:
    """Cut steps before each one that asks something: what comes before it has run when it asks."""
    found: list[list[Step]] = []
    for one in steps:
        if one.asks is not None or not found:
            found.append([])
        found[-1].append(one)
    return tuple(tuple(part) for part in found)


def before_change(steps: Sequence[Step]) -> int:
    """How many steps come before the first that changes something: there the second look is taken.

    Where none does, because people change it by merging what was proposed, it comes after the last that looks.
    """
    plans = (place for place, one in enumerate(steps, start=1) if one.role == Role.PLAN.value)
    return next((place for place, one in enumerate(steps) if one.role in CHANGING), max(plans, default=len(steps)))


def answered(cells: Sequence[Cell], before: Step, *, source: str) -> Step:
    """The cell that sets a parameter to its answer, right before the cell that asked for it."""
    cell_id = f"answer-{before.index + 1}"
    while any(cell.id == cell_id for cell in cells):
        cell_id += "-1"
    return Step(index=before.index, id=cell_id, role="parameters", name=f"the answer for {before.name}", source=source)


def setup(cells: Sequence[Cell]) -> tuple[Step, ...]:
    """What a fresh kernel needs before a rollback or always cell makes sense."""
    return tuple(step(cell) for cell in cells if runs(cell) and cell.role is Role.SETUP)


def always(cells: Sequence[Cell]) -> tuple[Step, ...]:
    """The cells that come last, however it went."""
    return tuple(step(cell) for cell in cells if runs(cell) and cell.role is Role.ALWAYS)


def undoing(cells: Sequence[Cell], begun: Iterable[int]) -> tuple[tuple[Step, ...], ...]:
    """For each begun change, last first, the rollback cells between it and the next change (none: an empty tuple).

    Args:
        cells: the whole notebook.
        begun: the indices of change cells that were sent to the kernel, however they ended.
    """
    own: dict[int, list[Step]] = {}
    change = -1
    for cell in cells:
        if cell.role is Role.CHANGE and runs(cell):
            change = cell.index
        elif cell.role is Role.ROLLBACK and runs(cell):
            own.setdefault(change, []).append(step(cell))
    return tuple(tuple(own.get(index, ())) for index in sorted(set(begun), reverse=True))


def judged(undo: Sequence[Sequence[Step]], fates: Mapping[str, Fate]) -> Rollback:
    """Say what became of the undoing.

    Args:
        undo: what `undoing` gave; empty if no change began.
        fates: rollback cell id to its fate; those that were not reached are missing.
    """
    if not undo:
        return Rollback.NOT_NEEDED
    if not any(undo):
        return Rollback.NOT_POSSIBLE
    results = [fates.get(one.id, Fate.NOT_RUN) is Fate.OK for steps in undo for one in steps]
    if not any(results):
        return Rollback.FAILED
    return Rollback.COMPLETE if all(results) and all(undo) else Rollback.PARTIAL
