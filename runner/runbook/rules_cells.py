"""Rules about cells: roles, their order, options, and what is saved in the notebook with them."""

from __future__ import annotations

from collections.abc import Iterator

from runner.runbook import options
from runner.runbook.cells import Cell, Role
from runner.runbook.finding import Hit, Rule, Severity
from runner.runbook.runbook import Runbook


def _no_role(runbook: Runbook) -> Iterator[Hit]:
    for cell in runbook.cells:
        if cell.role and not cell.declared:
            roles = ", ".join(role.value for role in Role)
            yield Hit(
                cell=cell.index,
                message="a code cell without a role counts as change, so it is not rehearsed",
                hint=f"Give it one tag of: {roles}.",
            )


def _saved_outputs(runbook: Runbook) -> Iterator[Hit]:
    for cell in runbook.cells:
        if cell.outputs or cell.counted:
            yield Hit(
                cell=cell.index,
                message="saved outputs are of no run, and may hold what nobody reviewed",
                hint="Clear them: jupyter nbconvert --clear-output --inplace NOTEBOOK",
            )


def _plan_after_change(runbook: Runbook) -> Iterator[Hit]:
    first = _first(runbook, Role.CHANGE)
    for cell in runbook.cells:
        if first and cell.role is Role.PLAN and cell.index > first.index:
            yield Hit(
                cell=cell.index,
                message=f"a plan cell after {first.name} would show what has already changed",
                hint="Move every plan cell before the first change cell.",
            )


def _parameters_first(runbook: Runbook) -> Iterator[Hit]:
    cell = _first(runbook, Role.PARAMETERS)
    before = [each for each in runbook.cells if each.role and cell and each.index < cell.index]
    if cell and before:
        yield Hit(
            cell=cell.index,
            message=f"{before[0].name} runs before the values of the run are there",
            hint="Make the parameters cell the first code cell.",
        )


def _no_way_back(runbook: Runbook) -> Iterator[Hit]:
    acting = [cell for cell in runbook.cells if cell.role in {Role.CHANGE, Role.ROLLBACK}]
    for place, cell in enumerate(acting, start=1):
        undone = place < len(acting) and acting[place].role is Role.ROLLBACK
        if cell.role is Role.CHANGE and not (undone or cell.options.irreversible or runbook.header.irreversible):
            yield Hit(
                cell=cell.index,
                message="nothing undoes this change, and it does not say that it cannot be undone",
                hint='Add a rollback cell directly after it, or the line `#| irreversible: "why"`.',
            )


def _nothing_to_undo(runbook: Runbook) -> Iterator[Hit]:
    first = _first(runbook, Role.CHANGE)
    for cell in runbook.cells:
        if cell.role is Role.ROLLBACK and (first is None or cell.index < first.index):
            yield Hit(
                cell=cell.index,
                message="a rollback cell undoes the change cell before it, and there is none",
                hint="Move it directly after the change cell that it undoes.",
            )


def _no_verify(runbook: Runbook) -> Iterator[Hit]:
    if _first(runbook, Role.CHANGE) and not _first(runbook, Role.VERIFY):
        yield Hit(
            message="nothing asserts that the change worked",
            hint="Add a cell with the role verify that uses check() or wait_until().",
        )


def _unread_option(runbook: Runbook) -> Iterator[Hit]:
    known = ", ".join(options.CARRIED_OUT)
    for cell in runbook.cells:
        for name, _ in cell.options.raw:
            if name in options.PLANNED:
                yield Hit(
                    cell=cell.index,
                    message=f"the option {name} is not carried out yet, and a run without it is not what is written",
                    hint=f"Leave it out. Carried out are: {known}.",
                )
            elif name not in options.CARRIED_OUT:
                yield Hit(
                    cell=cell.index,
                    message=f"the option {options.shown(name)} is unknown",
                    hint=f"Known are: {known}.",
                )


def _stray_option(runbook: Runbook) -> Iterator[Hit]:
    for cell in runbook.cells:
        for line in options.stray(cell.source) if cell.kind == "code" else ():
            yield Hit(
                cell=cell.index,
                message=f"the `#|` line {line} is not read, because it is not at the top",
                hint="Write options as the first lines of the cell, or directly after its %%magic line.",
            )


def _injected(runbook: Runbook) -> Iterator[Hit]:
    for cell in runbook.cells:
        if "injected-parameters" in cell.tags:
            yield Hit(
                cell=cell.index,
                message="it holds the values of an earlier execution",
                hint="Delete this cell: the runner inserts its own.",
            )


def _goes_on(runbook: Runbook) -> Iterator[Hit]:
    for cell in runbook.cells:
        if cell.kind == "code" and "raises-exception" in cell.tags:
            yield Hit(
                cell=cell.index,
                message="the tag raises-exception lets later cells run after this one failed",
                hint="Remove the tag and catch the exception that is expected.",
            )


def _first(runbook: Runbook, role: Role) -> Cell | None:
    return next((cell for cell in runbook.cells if cell.role is role), None)


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

RULES = (
    Rule(id="R01", title="code cell without a role", severity=_ERROR, check=_no_role),
    Rule(id="R02", title="saved outputs", severity=_ERROR, check=_saved_outputs),
    Rule(id="R03", title="plan cell after a change", severity=_ERROR, check=_plan_after_change),
    Rule(id="R06", title="parameters cell is not the first code cell", severity=_ERROR, check=_parameters_first),
    Rule(id="R07", title="change with no way back", severity=_ERROR, check=_no_way_back),
    Rule(id="R13", title="option that is not carried out", severity=_ERROR, check=_unread_option),
    Rule(id="R14", title="option line that is not read", severity=_ERROR, check=_stray_option),
    Rule(id="R16", title="change without verify", severity=_WARNING, check=_no_verify),
    Rule(id="R17", title="injected parameters in the source", severity=_ERROR, check=_injected),
    Rule(id="R21", title="cell that may fail", severity=_ERROR, check=_goes_on),
    Rule(id="R26", title="rollback with nothing to undo", severity=_ERROR, check=_nothing_to_undo),
)
