"""The executed notebook as it is kept: the runbook's cells byte for byte, the injected cell, and the outputs.

Built from the runbook's own JSON and our record of outputs, never from what papermill saved: so there are no marker
cells, no shifted indices and no metadata that claims what did not happen. It masks nothing; what comes in is masked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runner.digest import Json
from runner.execution.outcome import Answered
from runner.execution.phases import ANSWER, INJECTED, prelude
from runner.runbook import cells as notebook_cells
from runner.runbook.cells import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one cell showed, as nbformat outputs, and the kernel's execution count for it."""

    outputs: tuple[dict[str, Json], ...]
    count: int | None = None


def notebook(content: bytes, *, injected: str, shown: Mapping[str, Shown], answers: Iterable[Answered] = ()) -> bytes:
    """Put outputs, the injected cell and the cells that hold answers into a runbook's notebook.

    Args:
        content: the runbook's exact bytes, already found to be a readable notebook.
        injected: the source of the injected cell; empty for none.
        shown: cell id to what it showed.
        answers: those with a cell of their own stand right before the cell that asked.
    """
    whole: dict[str, Json] = json.loads(content)
    known = notebook_cells.read(whole)
    written = whole["cells"]
    made: list[Json] = []
    answered = {one.index: one for one in answers if one.cell}
    setter = next((step for step in prelude(known, injected=injected) if step.source == injected and injected), None)
    if setter is not None and setter.index < 0:
        made.append(_injected(setter.id, injected, shown=shown))
    for cell, item in zip(known, written if isinstance(written, list) else [], strict=True):
        if one := answered.get(cell.index):
            made.append(_injected(one.cell, one.source, shown=shown, tag=ANSWER))
        made.append(_cell(item if isinstance(item, dict) else {}, cell_id=cell.id, kind=cell.kind, shown=shown))
        if setter is not None and cell.role is Role.PARAMETERS:
            made.append(_injected(setter.id, injected, shown=shown))
    minor = whole.get("nbformat_minor")
    metadata = whole.get("metadata")
    whole |= {
        "cells": made,
        "metadata": _without_papermill(metadata),
        # Every cell has an id here, which the format knows since 4.5.
        "nbformat_minor": max(minor if isinstance(minor, int) else 0, 5),
    }
    return json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _cell(item: dict[str, Json], *, cell_id: str, kind: str, shown: Mapping[str, Shown]) -> dict[str, Json]:
    made = item | {"id": cell_id, "metadata": _without_papermill(item.get("metadata"))}
    return made | _results(shown.get(cell_id)) if kind == "code" else made


def _injected(cell_id: str, source: str, *, shown: Mapping[str, Shown], tag: str = INJECTED) -> dict[str, Json]:
    made: dict[str, Json] = {
        "cell_type": "code",
        "id": cell_id,
        "metadata": {"tags": [tag]},
        "source": [*source.splitlines(keepends=True)],
    }
    return made | _results(shown.get(cell_id))


def _results(shown: Shown | None) -> dict[str, Json]:
    if shown is None:
        return {"outputs": [], "execution_count": None}
    return {"outputs": [_lined(output) for output in shown.outputs], "execution_count": shown.count}


def _lined(output: dict[str, Json]) -> dict[str, Json]:
    """Keep texts as lists of lines, as nbformat does on disk, so that two executions can be compared by line."""
    made = dict(output)
    text = made.get("text")
    if isinstance(text, str):
        made["text"] = [*text.splitlines(keepends=True)]
    data = made.get("data")
    if isinstance(data, dict):
        made["data"] = {
            kind: [*value.splitlines(keepends=True)] if isinstance(value, str) and _is_text(kind) else value
            for kind, value in data.items()
        }
    return made


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind in {"image/svg+xml", "application/javascript"}


def _without_papermill(metadata: Json) -> Json:
    return {key: value for key, value in metadata.items() if key != "papermill"} if isinstance(metadata, dict) else {}
