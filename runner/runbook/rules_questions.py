"""Rules about what cells ask a person before they run."""

from __future__ import annotations

from collections.abc import Iterator

from runner.runbook import header, questions, spelling
from runner.runbook.declaration import MISSING
from runner.runbook.finding import Hit, Rule, Severity
from runner.runbook.options import Options
from runner.runbook.runbook import Runbook

_WORDS = ("confirm", "ask", "prompt", "answer-within")


def _nobody_is_asked(runbook: Runbook) -> Iterator[Hit]:
    roles = ", ".join(sorted(role.value for role in questions.ASKING))
    for cell in runbook.cells:
        written = [name for name, _ in cell.options.raw if name in _WORDS]
        if written and cell.role not in questions.ASKING:
            yield Hit(
                cell=cell.index,
                message=f"{written[0]}: nobody is asked before a cell of this role",
                hint=f"Ask before a cell with one of the roles: {roles}.",
            )


def _no_question(runbook: Runbook) -> Iterator[Hit]:
    for cell in runbook.cells:
        wrong = _unclear(cell.options)
        if wrong:
            yield Hit(
                cell=cell.index, message=wrong, hint="Write either `#| confirm:`, or `#| ask:` with a `#| prompt:`."
            )


def _unclear(options: Options) -> str:
    written = {name for name, _ in options.raw}
    if options.confirm and options.ask:
        return "it asks two things at once, and one answer cannot be for both"
    if options.prompt and not options.ask:
        return "prompt: there is no ask whose words it could be"
    if "answer-within" in written and not (options.confirm or options.ask):
        return "answer-within: nothing is asked here"
    return ""


def _no_value(runbook: Runbook) -> Iterator[Hit]:
    declared = {parameter.name: parameter for parameter in runbook.parameters.parameters}
    templates = (*runbook.header.target, *runbook.header.access.write)
    fixed = {name for template in templates for name in header.named(template)}
    for cell, asked in questions.of(runbook.cells):
        name = asked.parameter
        if not name:
            continue
        wrong = ""
        if name not in declared:
            wrong = "is no declared parameter"
        elif declared[name].default is MISSING:
            wrong = "has no default: it has to be there from the beginning"
        elif name in fixed:
            wrong = "is part of the target or of what may be written, which is approved and never changes"
        elif runbook.language != "python":
            wrong = "could only be set in a Python notebook"
        if wrong:
            yield Hit(
                cell=cell.index,
                message=f"ask: {spelling.shown(name)} {wrong}",
                hint="Name a declared parameter that has a default and stands in no target.",
            )


_ERROR = Severity.ERROR

RULES = (
    Rule(id="R40", title="question where nobody is asked", severity=_ERROR, check=_nobody_is_asked),
    Rule(id="R41", title="question that says too much or nothing", severity=_ERROR, check=_no_question),
    Rule(id="R42", title="question for a value that cannot be given", severity=_ERROR, check=_no_value),
)
