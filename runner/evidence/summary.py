"""The summary: one page of Markdown that a forge shows to whoever opens a run's folder."""

from __future__ import annotations

import json

from runner.evidence.manifest import Manifest
from runner.execution.outcome import Answered, CellFate, Fate, done_before
from runner.ledger.bodies import QuestionKind

_SIGNS = {Fate.OK: "ok", Fate.NOT_RUN: "not run", Fate.SKIPPED: "skipped"}
_RESTORED = {
    True: "the plan cells show what they showed before it",
    False: "the plan cells show something else than before it",
    None: "nothing shows whether the state is what it was before it",
}


def render(record: Manifest) -> str:
    """The summary of an attempt; everything in it is in the manifest too."""
    result, execution = record.result, record.execution
    approvers = ", ".join(_code(one.by) for one in record.approvals)
    lines = [
        f"# {_plain(record.title)}: {result.outcome.value}",
        "",
        f"- run {_code(record.run)}, attempt {record.attempt}, plan {_code(record.plan_digest[:12])}",
        f"- on {', '.join(_code(one) for one in execution.targets)}",
        f"- asked for by {_code(record.request.by)} in issue {_code(record.request.issue)}",
        f"- approved by {approvers or 'nobody: policy asks for no approval'}",
        f"- ran {execution.seconds:.1f} s from {execution.started_at}, isolation {_code(execution.isolation)}",
        f"- ended: {result.exit_reason.replace('_', ' ')}; rollback {result.rollback.value.replace('_', ' ')}",
        f"- runbook {_code(record.runbook.path)} at {_code(record.runbook.commit[:12])}",
    ]
    if record.merged:
        merged = record.merged
        lines.append(f"- change merged by {_code(merged.by)} in {_code(merged.review)} as {_code(merged.commit[:12])}")
    if record.previous:
        done = ", ".join(_code(cell.name) for cell in result.cells if done_before(cell))
        lines.append(f"- follows attempt {record.previous.attempt}; done before and not repeated: {done or 'nothing'}")
    if record.reverts:
        lines.append(f"- reverts {_code(record.reverts)}: {_RESTORED[result.restored]}")
    if result.cancelled:
        lines.append(f"- cancelled by {_code(result.cancelled.by)} ({result.cancelled.mode})")
    if result.message:
        lines += ["", "## What it said", "", *_fenced(result.message)]
    if result.moved:
        what = "What is not as it was" if result.restored is False else "What had moved since the plan"
        lines += ["", f"## {what}", "", *_fenced(result.moved)]
    lines += ["", "## Parameters", "", "| name | value | from |", "|---|---|---|"]
    lines += [f"| {_code(name)} | {_code(str(one.value))} | {one.source} |" for name, one in record.parameters.items()]
    lines += _answers(result.answers)
    lines += _cells(result.cells)
    if record.redactions:
        lines += ["", f"Masked: {', '.join(f'{_plain(one.rule)} ({one.count})' for one in record.redactions)}."]
    if result.withheld:
        lines += ["", "**Outputs were withheld: the scan found what looks like a secret in them.**"]
    return "\n".join(lines) + "\n"


def _cells(fates: tuple[CellFate, ...]) -> list[str]:
    """What became of each cell, as a table."""
    lines = ["", "## Cells", "", "| cell | role | phase | fate | seconds |", "|---|---|---|---|---|"]
    for cell in fates:
        seconds = "" if cell.seconds is None else f"{cell.seconds:.2f}"
        fate = _SIGNS.get(cell.fate, f"**{cell.fate.value.replace('_', ' ')}**")
        fate += f": {_code(cell.why)}" if cell.why else ""
        fate += f" ({cell.tries} tries)" if cell.tries > 1 else ""
        lines.append(f"| {_code(cell.name)} | {cell.role} | {cell.phase} | {fate} | {seconds} |")
    return lines


def _answers(given: tuple[Answered, ...]) -> list[str]:
    """Who answered what, as a table; nothing where nothing was asked."""
    if not given:
        return []
    rows = [f"| {one.ordinal} | {_code(one.asked_by)} | {_code(_answer(one))} | {_code(one.by)} |" for one in given]
    return ["", "## Answers", "", "| question | before | answer | by |", "|---|---|---|---|", *rows]


def _answer(one: Answered) -> str:
    """What was answered: yes or no, or the value that a parameter was given."""
    if one.kind is QuestionKind.CONFIRM:
        return "yes" if one.value is True else "no"
    return f"{one.parameter} = {json.dumps(one.value, ensure_ascii=False)}"


def _plain(text: str) -> str:
    """One line without what Markdown or a forge would act on."""
    return " ".join("".join(one if one not in "`<>[]|*_@#!" else " " for one in text).split())


def _code(text: str) -> str:
    """A code span that nothing can break out of, not even in a table; long values are cut."""
    clean = " ".join("".join(one if one not in "`|" and one.isprintable() else " " for one in text).split())
    return f"`{clean[:200] or ' '}`"


def _fenced(text: str) -> list[str]:
    fence = "`" * max(3, _run_of_ticks(text) + 1)
    return [f"{fence}text", text.rstrip("\n"), fence]


def _run_of_ticks(text: str) -> int:
    best = now = 0
    for one in text:
        now = now + 1 if one == "`" else 0
        best = max(best, now)
    return best
