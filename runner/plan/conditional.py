"""Which steps a plan already knows to be left out: what its parameters alone decide of the conditions."""

from __future__ import annotations

from collections.abc import Mapping

from runner.digest import Json
from runner.errors import RequestError
from runner.plan.plan import Conditional
from runner.runbook.condition import Facts, UndecidableError, holds
from runner.runbook.runbook import Runbook


def conditional(runbook: Runbook, values: Mapping[str, Json]) -> tuple[Conditional, ...]:
    """Decide every condition as far as it can be decided before anything ran.

    Args:
        runbook: the runbook.
        values: the run's parameters; those that a person is asked for during the run are not known yet.

    Raises:
        RequestError: if a condition has no answer for these values.
    """
    asked = frozenset(cell.options.ask for cell in runbook.cells if cell.options.ask)
    known = Facts(values=values, open=asked)
    found: list[Conditional] = []
    for cell in runbook.cells:
        when = cell.options.when
        if when is None or cell.role is None:
            continue
        try:
            runs = holds(when, known)
        except UndecidableError as error:
            doing = f"planning {runbook.name}"
            wrong = f"the condition of {cell.name} ({when.text}) has no answer: {error}"
            raise RequestError(doing, wrong, hint="give other values, or correct the runbook") from error
        found.append(Conditional(cell=cell.id, name=cell.name, when=when.text, runs=runs))
    return tuple(found)
