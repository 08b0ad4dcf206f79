"""Cells, their roles and their options, read from a notebook's JSON; nothing is executed and nbformat is not needed.

nbformat costs more to import than everything else that planning does, and it repairs what it reads: here a notebook
that is not what it claims to be is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from runner.digest import Json
from runner.errors import RequestError
from runner.runbook import options
from runner.runbook.options import Options

MAX_CELLS = 2000
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DOING = "reading the cells"


class Role(Enum):
    """What a code cell is for; in a notebook it is a cell tag."""

    PARAMETERS = "parameters"
    SETUP = "setup"
    READ = "read"
    PLAN = "plan"
    CHANGE = "change"
    VERIFY = "verify"
    ROLLBACK = "rollback"
    ALWAYS = "always"


ROLES = {role.value: role for role in Role}

REHEARSED = frozenset({Role.SETUP, Role.READ, Role.PLAN})
"""Roles that cannot change anything: they make the rehearsal."""

FORWARD = frozenset({Role.SETUP, Role.READ, Role.PLAN, Role.CHANGE, Role.VERIFY})
"""Roles that a run executes from the top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a notebook.

    `role` is None for text cells, and for code cells that hold nothing and say nothing; `declared` is False where a
    code cell's role is the default. `outputs` counts the outputs that were saved with it,
    `counted` says that an execution count was.
    """

    index: int
    id: str
    kind: str
    source: str
    role: Role | None
    declared: bool = True
    tags: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)
    outputs: int = 0
    counted: bool = False

    @property
    def name(self) -> str:
        """What people call this cell: its step name, or its role and place."""
        role = self.role.value if self.role else self.kind
        return self.options.step or f"{role} (cell {self.index + 1})"


def read(notebook: Mapping[str, Json]) -> tuple[Cell, ...]:
    """Read every cell of a notebook (nbformat 4).

    Args:
        notebook: the notebook's JSON; cells without an id (nbformat 4.0 to 4.4) get the stable id `cell-<index>`.

    Raises:
        RequestError: with every cell that is not one: unknown kind, two roles, a malformed option, a doubled id.
    """
    written = notebook.get("cells")
    if not isinstance(written, list):
        raise RequestError(_DOING, "the notebook has no list of cells", hint="Save it again from Jupyter.")
    if len(written) > MAX_CELLS:
        raise RequestError(_DOING, f"{len(written)} cells are too many (at most {MAX_CELLS})")
    found: list[Cell] = []
    wrong: list[RequestError] = []
    for index, item in enumerate(written):
        try:
            found.append(_cell(item, index=index))
        except RequestError as error:
            wrong.append(error)
    if not wrong:
        wrong = _doubled(found)
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        raise RequestError(_DOING, "; ".join(str(error) for error in wrong), hint=wrong[0].hint)
    return tuple(found)


def _cell(item: Json, *, index: int) -> Cell:
    doing = f"reading cell {index + 1}"
    if not isinstance(item, dict):
        raise RequestError(doing, "it is not an object", hint="Save the notebook again from Jupyter.")
    kind = item.get("cell_type")
    if kind not in {"code", "markdown", "raw"}:
        raise RequestError(
            doing, f"the kind {options.shown(kind)} is unknown", hint="Use a code, markdown or raw cell."
        )
    source, tags = _source(item, doing=doing), _tags(item, doing=doing)
    cell_id = item.get("id", f"cell-{index}")
    if not isinstance(cell_id, str) or not _ID.fullmatch(cell_id):
        raise RequestError(
            doing,
            f"the id {options.shown(cell_id)} is not one",
            hint="Remove the id and save the notebook from Jupyter.",
        )
    if kind != "code":
        return Cell(index=index, id=cell_id, kind=str(kind), source=source, role=None, tags=tags)
    role, declared = _role(tags, empty=not source.strip(), doing=doing)
    outputs = item.get("outputs")
    return Cell(
        index=index,
        id=cell_id,
        kind="code",
        source=source,
        role=role,
        declared=declared,
        tags=tags,
        options=options.read(source, cell=index),
        outputs=len(outputs) if isinstance(outputs, list) else 0,
        counted=item.get("execution_count") is not None,
    )


def _source(item: Mapping[str, Json], *, doing: str) -> str:
    """Join a source, which may be kept as one text or as lines."""
    source = item.get("source", "")
    lines: Sequence[Json] = source if isinstance(source, list) else [source]
    text = "".join(line for line in lines if isinstance(line, str))
    if not all(isinstance(line, str) for line in lines) or "\0" in text or not _encodable(text):
        raise RequestError(doing, "its source is not text", hint="Save the notebook again from Jupyter.")
    return text


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _tags(item: Mapping[str, Json], *, doing: str) -> tuple[str, ...]:
    metadata = item.get("metadata")
    tags = metadata.get("tags", []) if isinstance(metadata, dict) else []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise RequestError(doing, "its tags are not a list of words", hint="Set the tags again in Jupyter.")
    return tuple(dict.fromkeys(str(tag) for tag in tags))


def _role(tags: tuple[str, ...], *, empty: bool, doing: str) -> tuple[Role | None, bool]:
    """Find a code cell's one role; without any it counts as `change`, the role that needs an approval."""
    roles = [tag for tag in tags if tag in ROLES]
    if len(roles) > 1:
        raise RequestError(
            doing,
            f"it has {len(roles)} roles: {', '.join(roles)}",
            hint="Keep one role tag; split the cell if it does two things.",
        )
    if roles:
        return ROLES[roles[0]], True
    return (None, True) if empty else (Role.CHANGE, False)


def _doubled(cells: Sequence[Cell]) -> list[RequestError]:
    """Two cells with one id could not be told apart in a plan."""
    first: dict[str, int] = {}
    wrong: list[RequestError] = []
    for cell in cells:
        if cell.id in first:
            wrong.append(
                RequestError(
                    f"reading cell {cell.index + 1}",
                    f"it has the id of cell {first[cell.id] + 1}",
                    hint="Remove one of the two ids and save the notebook from Jupyter.",
                )
            )
        first.setdefault(cell.id, cell.index)
    return wrong
