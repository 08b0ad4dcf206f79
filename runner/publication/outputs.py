"""What cells showed, as comments show it: their texts and their pictures, from a notebook in the evidence. Pure.

It shows what the record holds, which was masked and scanned before it was sealed. Of what a cell displayed in several
forms the plain text is taken, or the picture; pages and drawings that could hold more than they show are left in the
notebook, and it is said.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from runner.digest import Json
from runner.errors import RequestError, RunbookError
from runner.execution.fingerprint import normaliser
from runner.execution.outputs import coalesced
from runner.execution.phases import ANSWER, INJECTED
from runner.publication import picture
from runner.publication.markdown import shown
from runner.publication.picture import Picture
from runner.runbook import cells as notebook_cells
from runner.runbook.cells import Role

PICTURES = 8
"""Pictures of one comment."""
_TEXTS = ("text/plain", "text/markdown")
"""Forms of a display that are texts as they stand, the best one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellOutput:
    """What one cell showed. `name` is what people call the cell."""

    name: str
    text: str
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What several cells showed. `file` is the notebook's name, and `where` says how its readers get to it.

    `folds` says whether readers can fold and unfold it, `left_out` how many pictures more there are.
    """

    cells: tuple[CellOutput, ...] = ()
    file: str = ""
    where: str = ""
    folds: bool = True
    left_out: int = 0

    def shares(self, budget: int, rows: int) -> tuple[int, ...]:
        """How many characters of each of the first `rows` texts fit: what short ones leave is the long ones'."""
        lengths = [len(shown(one.text[: budget + 1])) for one in self.cells[:rows]]
        given, left = [0] * len(lengths), budget
        for done, at in enumerate(sorted(range(len(lengths)), key=lengths.__getitem__)):
            given[at] = min(lengths[at], left // (len(lengths) - done))
            left -= given[at]
        return tuple(given)


def of(notebook: bytes, *, roles: Collection[Role]) -> tuple[CellOutput, ...]:
    """Pick what the cells of these roles showed; cells that showed nothing are left out."""
    try:
        whole: dict[str, Json] = json.loads(notebook)
        cells = notebook_cells.read(whole)
    except (ValueError, RecursionError, AttributeError, RequestError):
        return ()
    written = whole["cells"]
    found, ours = [], 0
    for cell, item in zip(cells, written if isinstance(written, list) else [], strict=True):
        ours += INJECTED in cell.tags or ANSWER in cell.tags
        outputs = item.get("outputs") if isinstance(item, dict) else None
        if cell.role in roles and isinstance(outputs, list) and outputs:
            # Counted as in the runbook, where nothing was put in.
            name = replace(cell, index=cell.index - ours).name
            found.append(_of_cell(name, [one for one in outputs if isinstance(one, dict)]))
    return tuple(found)


def attached(cells: Sequence[CellOutput], attach: Callable[[str, bytes], str]) -> tuple[tuple[CellOutput, ...], int]:
    """Put the pictures where people see them.

    Args:
        cells: with pictures.
        attach: keeps a file and says its address. A picture that cannot be kept there is told of and not shown.

    Returns:
        The same cells with the pictures' addresses, at most `PICTURES`, and how many more there are.
    """
    made, number, more = [], 0, 0
    for cell in cells:
        kept = []
        for one in cell.pictures:
            number += 1
            if number > PICTURES:
                more += 1
                continue
            kept.append(replace(one, address=_address(attach, f"picture-{number}.png", one.data)))
        made.append(replace(cell, pictures=tuple(kept)))
    return tuple(made), more


def _address(attach: Callable[[str, bytes], str], name: str, data: bytes) -> str:
    try:
        return attach(name, data)
    except RunbookError:
        return ""  # words about a change must not wait for its picture


def _of_cell(name: str, outputs: Sequence[dict[str, Json]]) -> CellOutput:
    texts: list[str] = []
    pictures: list[Picture] = []
    for one in coalesced([_joined(output) for output in outputs]):
        match one.get("output_type"):
            case "stream":
                texts.append(str(one.get("text")))
            case "error":
                texts.append(f"{one.get('ename')}: {one.get('evalue')}\n")
            case _:
                data = one.get("data")
                for form in _displayed(data if isinstance(data, dict) else {}):
                    texts += [] if isinstance(form, Picture) else [form]
                    pictures += [form] if isinstance(form, Picture) else []
    clean = normaliser(())("".join(text if text.endswith("\n") else f"{text}\n" for text in texts))
    return CellOutput(name=name, text=clean.strip("\n"), pictures=tuple(pictures))


def _joined(output: dict[str, Json]) -> dict[str, Json]:
    return output | {"text": _text(output["text"])} if "text" in output else output


def _displayed(data: Mapping[str, Json]) -> Iterator[str | Picture]:
    """The one form of a display that is shown."""
    plain = next((_text(data[kind]) for kind in _TEXTS if kind in data), "")
    if "image/png" in data:
        found = _picture(data["image/png"])
        yield found or "[a picture that is broken or too large to be shown here]"
    elif plain:
        yield plain
    elif data:
        yield f"[{', '.join(sorted(data))}: not shown here]"


def _picture(value: Json) -> Picture | None:
    try:
        return picture.read(base64.b64decode("".join(_text(value).split()), validate=True))
    except (binascii.Error, ValueError):
        return None


def _text(value: Json) -> str:
    """A text, which may be kept as lines."""
    lines = value if isinstance(value, list) else [value]
    return "".join(line for line in lines if isinstance(line, str))
