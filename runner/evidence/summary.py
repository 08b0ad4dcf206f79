"""The summary: one page of Markdown that a forge shows to whoever opens a run's folder."""

from __future__ import annotations

from runner.evidence.manifest import Manifest
from runner.execution.outcome import Fate

_SIGNS = {Fate.OK: "ok", Fate.NOT_RUN: "not run"}


def render(record: Manifest) -> str:
    """The summary of an attempt; everything in it is in the manifest too."""
    result, execution = record.result, record.execution
    lines = [
        f"# {_plain(record.title)}: {result.outcome.value}",
        "",
        f"- run `{record.run}`, attempt {record.attempt}, plan `{record.plan_digest[:12]}`",
        f"- on {', '.join(f'`{_plain(one)}`' for one in execution.targets)}",
        f"- asked for by {_plain(record.request.by)} in issue {_plain(record.request.issue)}",
        f"- approved by {', '.join(_plain(one.by) for one in record.approvals) or 'nobody: policy asks for no approval'}",
        f"- ran {execution.seconds:.1f} s from {execution.started_at}, isolation `{execution.isolation}`",
        f"- ended: {result.exit_reason.replace('_', ' ')}; rollback {result.rollback.value.replace('_', ' ')}",
        f"- runbook `{_plain(record.runbook.path)}` at `{record.runbook.commit[:12]}`",
    ]
    if result.message:
        lines += ["", "## What it said", "", *_fenced(result.message)]
    if result.moved:
        lines += ["", "## What had moved since the plan", "", *_fenced(result.moved)]
    lines += ["", "## Parameters", "", "| name | value | from |", "|---|---|---|"]
    lines += [f"| `{name}` | `{_cell(str(one.value))}` | {one.source} |" for name, one in record.parameters.items()]
    lines += ["", "## Cells", "", "| cell | role | phase | fate | seconds |", "|---|---|---|---|---|"]
    for cell in record.result.cells:
        seconds = "" if cell.seconds is None else f"{cell.seconds:.2f}"
        fate = _SIGNS.get(cell.fate, f"**{cell.fate.value.replace('_', ' ')}**")
        lines.append(f"| {_cell(cell.name)} | {cell.role} | {cell.phase} | {fate} | {seconds} |")
    if record.redactions:
        lines += ["", f"Masked: {', '.join(f'{_plain(one.rule)} ({one.count})' for one in record.redactions)}."]
    if result.withheld:
        lines += ["", "**Outputs were withheld: the scan found what looks like a secret in them.**"]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """One line without what Markdown or a forge would act on."""
    return " ".join("".join(one if one not in "`<>[]|*_@#!" else " " for one in text).split())


def _cell(text: str) -> str:
    return _plain(text)[:200]


def _fenced(text: str) -> list[str]:
    fence = "`" * max(3, _run_of_ticks(text) + 1)
    return [f"{fence}text", text.rstrip("\n"), fence]


def _run_of_ticks(text: str) -> int:
    best = now = 0
    for one in text:
        now = now + 1 if one == "`" else 0
        best = max(best, now)
    return best
