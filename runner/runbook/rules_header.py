"""Rules about what a runbook declares: its header and its parameters."""

from __future__ import annotations

from collections.abc import Iterator

from runner.runbook import environment, header, spelling
from runner.runbook.cells import Role
from runner.runbook.declaration import Fault
from runner.runbook.finding import Hit, Rule, Severity
from runner.runbook.parameters import ParameterErrors, Refusal
from runner.runbook.runbook import Runbook


def _computed(runbook: Runbook) -> Iterator[Hit]:
    return _problems(runbook, {Fault.COMPUTED})


def _not_a_parameter(runbook: Runbook) -> Iterator[Hit]:
    return _problems(runbook, {Fault.STATEMENT, Fault.NAME, Fault.TYPE})


def _problems(runbook: Runbook, faults: set[Fault]) -> Iterator[Hit]:
    for problem in runbook.parameters.problems:
        if problem.fault in faults:
            yield Hit(cell=_cell(runbook), message=f"line {problem.line}: {problem.message}", hint=problem.hint)


def _undeclared(runbook: Runbook) -> Iterator[Hit]:
    declared = {parameter.name for parameter in runbook.parameters.parameters}
    access = runbook.header.access
    places = [
        *(("target", name) for template in runbook.header.target for name in header.named(template)),
        *(("access", name) for template in (*access.read, *access.write) for name in header.named(template)),
        *(("examples", name) for name, _ in runbook.header.examples),
    ]
    for key, name in places:
        if name not in declared:
            yield Hit(
                cell=0,
                message=f"the header's {key} names {spelling.shown(name)}, which is no parameter",
                hint=f"Declared are: {', '.join(sorted(declared)) or 'none'}.",
            )


def _no_timeout(runbook: Runbook) -> Iterator[Hit]:
    if runbook.header.timeout is None:
        yield Hit(message="no timeout: a run that hangs would hold its lock", hint="Add a line such as `timeout: 20m`.")


def _no_owner(runbook: Runbook) -> Iterator[Hit]:
    missing = [
        key
        for key, absent in (("title", runbook.header.title == runbook.name), ("owner", not runbook.header.owner))
        if absent
    ]
    if missing:
        yield Hit(
            message=f"no {' and no '.join(missing)}: an approver does not know what this is or whom to ask",
            hint="Add `title:` (what it does, in words) and `owner:` (who knows it) to the header.",
        )


def _no_kernel(runbook: Runbook) -> Iterator[Hit]:
    if not runbook.kernel_declared:
        yield Hit(
            message="it names no kernel, and is taken as Python", hint="Choose the kernel python3 in Jupyter and save."
        )


def _unfit(runbook: Runbook) -> Iterator[Hit]:
    for problem in _refusals(runbook):
        if not problem.missing:
            yield Hit(
                cell=_cell(runbook),
                message=f"default or example: {problem}",
                hint="Give a value that its own type accepts.",
            )


def _no_example(runbook: Runbook) -> Iterator[Hit]:
    for problem in _refusals(runbook):
        if problem.missing:
            yield Hit(
                cell=_cell(runbook),
                message=f"{problem.name} is required, and the notebook cannot be tried by hand without a value",
                hint=f"Add `examples: {{{problem.name}: ...}}` to the header.",
            )


def _refusals(runbook: Runbook) -> tuple[Refusal, ...]:
    try:
        runbook.parameters.values({}, examples=dict(runbook.header.examples))
    except ParameterErrors as error:
        return error.problems
    return ()


def _secret_parameter(runbook: Runbook) -> Iterator[Hit]:
    for parameter in runbook.parameters.parameters:
        if spelling.looks_secret(parameter.name):
            yield Hit(
                cell=_cell(runbook),
                message=f"{parameter.name} looks like a secret, and parameters are written into plan and evidence",
                hint="Use secret(NAME) in the cell, and name it in the header under `secrets:`.",
            )


def _not_classified(runbook: Runbook) -> Iterator[Hit]:
    if not runbook.header.present:
        hint = "Add a raw first cell: see `runbook new`, which writes one."
        yield Hit(message="no header: its risk is unclassified and its own name is what it locks", hint=hint)
    elif runbook.header.risk == "unclassified":
        yield Hit(
            cell=0, message="no risk: policy knows it as unclassified", hint="Add `risk:` with a word of your policy."
        )


def _no_target(runbook: Runbook) -> Iterator[Hit]:
    if runbook.header.present and runbook.header.target == (runbook.name,):
        yield Hit(
            cell=0,
            message="no target: every run locks the runbook's own name, whatever it acts on",
            hint='Add a line such as `target: "{environment}/{database}"`.',
        )


def _no_environment(runbook: Runbook) -> Iterator[Hit]:
    path = runbook.header.environment
    if path is None:
        return
    if runbook.lock is None:
        yield Hit(
            cell=0,
            message=f"there is no {path} beside it: its environment is not known",
            hint="Commit the lock file, by its path from the repository's root.",
        )
        return
    for problem in environment.read(runbook.lock).problems:
        yield Hit(
            cell=0,
            message=f"{path}, {problem}",
            hint="Compile it: uv pip compile --generate-hashes --no-annotate --output-file LOCK REQUIREMENTS",
        )


def _no_proposal(runbook: Runbook) -> Iterator[Hit]:
    if runbook.header.proposes and not any(each.role is Role.PLAN for each in runbook.cells):
        yield Hit(
            cell=0,
            message="`proposes` opens files, and there is no plan cell that could propose a change to them",
            hint="Call propose(path, text) in a plan cell, or leave the line out.",
        )


def _cell(runbook: Runbook) -> int | None:
    return next((each.index for each in runbook.cells if each.role is Role.PARAMETERS), None)


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

RULES = (
    Rule(id="R04", title="computed default", severity=_ERROR, check=_computed),
    Rule(id="R05", title="not a parameter", severity=_ERROR, check=_not_a_parameter),
    Rule(id="R11", title="undeclared parameter in the header", severity=_ERROR, check=_undeclared),
    Rule(id="R12", title="no timeout", severity=_WARNING, check=_no_timeout),
    Rule(id="R15", title="no title or owner", severity=_WARNING, check=_no_owner),
    Rule(id="R18", title="no kernel", severity=_WARNING, check=_no_kernel),
    Rule(id="R22", title="default or example outside its type", severity=_ERROR, check=_unfit),
    Rule(id="R23", title="required parameter without example", severity=_WARNING, check=_no_example),
    Rule(id="R25", title="no risk", severity=_WARNING, check=_not_classified),
    Rule(id="R29", title="no target", severity=_WARNING, check=_no_target),
    Rule(id="R30", title="secret as a parameter", severity=_WARNING, check=_secret_parameter),
    Rule(id="R31", title="environment not pinned", severity=_ERROR, check=_no_environment),
    Rule(id="R35", title="proposal that nobody writes", severity=_ERROR, check=_no_proposal),
)
