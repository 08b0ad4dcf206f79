"""The clean runbook with one thing changed, and what lint then says."""

from __future__ import annotations

from runner.runbook import lint
from tests.runbook.notebooks import HEADER, PARAMETERS, clean, code, raw, runbook

Cells = list[dict[str, object]]


def rules(cells: Cells, metadata: dict[str, object] | None = None) -> set[str]:
    return {finding.rule for finding in lint.lint(runbook(cells, metadata=metadata))}


def instead(place: int, *cells: dict[str, object]) -> Cells:
    """The clean runbook with one of its cells replaced."""
    found = clean()
    return [*found[:place], *cells, *found[place + 1 :]]


def header(old: str, new: str) -> Cells:
    assert old in HEADER
    return instead(0, raw(HEADER.replace(old, new)))


def parameters(source: str) -> Cells:
    return instead(1, code(PARAMETERS + source, "parameters"))


def change(source: str) -> Cells:
    return instead(5, code(source, "change"))
