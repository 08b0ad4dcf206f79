"""Executed and reviewed notebooks as the audit compares them: cells with their exact sources, and nothing repaired."""

from __future__ import annotations

import msgspec

from runner.digest import Json
from runner.execution.phases import ANSWER, INJECTED


class Metadata(msgspec.Struct, frozen=True):
    """What matters of a cell's metadata."""

    tags: tuple[str, ...] = ()


class Output(msgspec.Struct, frozen=True):
    """What matters of an output."""

    output_type: str = ""


class Cell(msgspec.Struct, frozen=True):
    """One cell. Unknown fields are left alone: the format has many, and the digest covers them."""

    cell_type: str = ""
    source: str | list[str] = ""
    id: str = ""
    metadata: Metadata = Metadata()
    outputs: tuple[Output, ...] = ()
    execution_count: int | None = None

    @property
    def kind(self) -> str:
        """`code`, `markdown` or `raw`."""
        return self.cell_type


class _Notebook(msgspec.Struct, frozen=True):
    cells: tuple[Cell, ...]


def cells(data: bytes) -> tuple[Cell, ...] | None:
    """The cells, sources joined and missing ids filled in as the runner fills them; None if it is no notebook."""
    try:
        notebook = msgspec.json.decode(data, type=_Notebook)
    except (msgspec.MsgspecError, RecursionError):
        return None
    made, index = [], 0
    for cell in notebook.cells:
        source = cell.source if isinstance(cell.source, str) else "".join(cell.source)
        made.append(msgspec.structs.replace(cell, source=source, id=cell.id or f"cell-{index}"))
        index += not is_ours(cell)
    return tuple(made)


def is_injected(cell: Cell) -> bool:
    """Whether a cell is the one that sets the parameters."""
    return INJECTED in cell.metadata.tags


def is_answer(cell: Cell) -> bool:
    """Whether a cell is one that sets a parameter to what a person answered."""
    return ANSWER in cell.metadata.tags


def is_ours(cell: Cell) -> bool:
    """Whether the runner has put a cell in, and not the runbook's author."""
    return is_injected(cell) or is_answer(cell)


def whole(data: bytes) -> dict[str, Json] | None:
    """A notebook's JSON without the cells that the runner put in, or None."""
    try:
        notebook = msgspec.json.decode(data, type=dict[str, Json])
    except (msgspec.MsgspecError, RecursionError):
        return None
    written = notebook.get("cells")
    if not isinstance(written, list):
        return None
    return notebook | {"cells": [one for one in written if not _tagged(one)]}


def _tagged(cell: Json) -> bool:
    metadata = cell.get("metadata") if isinstance(cell, dict) else None
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return isinstance(tags, list) and (INJECTED in tags or ANSWER in tags)
