"""Rules about steps as a whole: what they are called, what they wait for, and which options a role has any use for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from runner.digest import Json
from runner.runbook import condition
from runner.runbook.cells import FORWARD, Cell, Role
from runner.runbook.condition import Condition, Facts, UndecidableError
from runner.runbook.finding import Hit, Rule, Severity
from runner.runbook.parameters import ParameterErrors
from runner.runbook.runbook import Runbook

CONDITIONAL = frozenset({Role.READ, Role.PLAN, Role.CHANGE, Role.VERIFY, Role.ALWAYS})
"""Roles that a condition can leave out; the others are what every kernel needs, or belong to a change that began."""

ENDURABLE = frozenset({Role.READ, Role.CHANGE, Role.VERIFY})
"""Roles after whose failure a run can go on."""


def _no_answer(runbook: Runbook) -> Iterator[Hit]:
    names = {parameter.name for parameter in runbook.parameters.parameters}
    order = _executed(runbook)
    values = _tried_by_hand(runbook)
    for place, cell in enumerate(order):
        if cell.options.when is None:
            continue
        earlier = [each.options.step or "" for each in order[:place]]
        wrong = condition.missing(cell.options.when, names=names, steps=earlier)
        for text in wrong or _unanswered(cell.options.when, values):
            yield Hit(
                cell=cell.index,
                message=f"its condition has no answer: {text}",
                hint="Ask for declared parameters, and for named steps that are executed before this one.",
            )


def _executed(runbook: Runbook) -> Sequence[Cell]:
    """The cells in the order in which they are executed: what always comes last is last, wherever it stands."""
    forward = [cell for cell in runbook.cells if cell.role in FORWARD]
    return [*forward, *(cell for cell in runbook.cells if cell.role is Role.ALWAYS)]


def _tried_by_hand(runbook: Runbook) -> Mapping[str, Json] | None:
    """Values as good as any, to try conditions with; None where the parameters are wrong themselves."""
    try:
        return runbook.parameters.values({}, examples=dict(runbook.header.examples))
    except ParameterErrors:
        return None


def _unanswered(when: Condition, values: Mapping[str, Json] | None) -> Iterator[str]:
    if values is None:
        return
    try:
        condition.holds(when, Facts(values=values))
    except UndecidableError as error:
        yield str(error)


def _twice(runbook: Runbook) -> Iterator[Hit]:
    first: dict[str, int] = {}
    for cell in runbook.cells:
        name = cell.options.step
        if name is not None and first.setdefault(name, cell.index) != cell.index:
            yield Hit(
                cell=cell.index,
                message=f"the step name {name} is taken by cell {first[name] + 1}",
                hint="Give every step a name of its own: conditions and people tell them apart by it.",
            )


def _of_no_use(runbook: Runbook) -> Iterator[Hit]:
    for cell in runbook.cells:
        for option, why in _useless(cell):
            yield Hit(cell=cell.index, message=f"the option {option} has no effect: {why}", hint="Leave it out.")


def _useless(cell: Cell) -> Iterator[tuple[str, str]]:
    """Each option that a cell has no use for, and why."""
    options, role = cell.options, cell.role.value if cell.role else cell.kind
    if options.retries and cell.role is Role.PARAMETERS:
        yield "retries", "literals do not fail"
    if not options.retries and any(name == "backoff" for name, _ in options.raw):
        yield "backoff", "there is no retry to wait for"
    if options.when and cell.role not in CONDITIONAL:
        yield "when", f"a {role} cell always runs where it belongs"
    if options.continue_on_failure and cell.role not in ENDURABLE:
        yield "continue-on-failure", f"what follows a {role} cell rests on it"


RULES = (
    Rule(id="R32", title="condition without an answer", severity=Severity.ERROR, check=_no_answer, safety=True),
    Rule(id="R33", title="step name twice", severity=Severity.ERROR, check=_twice),
    Rule(id="R34", title="option without effect", severity=Severity.ERROR, check=_of_no_use),
)
