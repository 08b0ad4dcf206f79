"""The transcript: what really ran, written by the worker before and after each cell and durable at once.

One JSON object a line, only ever appended. papermill's own notebook metadata calls cells completed that never ran; this
file is what the outcome is made of, and what is left when the worker is killed. Everything in it is masked already.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

import msgspec

from runner.digest import Json, Wire, canonical
from runner.execution import executed, scan
from runner.execution.outcome import Answered, CellFate, Fate
from runner.execution.redact import Masker
from runner.execution.seal_outcome import is_full
from runner.ledger.bodies import QuestionKind

NAME = "transcript.jsonl"
"""The file in a spool that holds it."""


class Asked(Wire):
    """What the worker asks and waits for. `ordinal` counts from 1 in the attempt; `until` is ISO 8601 in UTC.

    `schema` is the JSON Schema of a value that would be accepted, `accepted` the same in words.
    """

    ordinal: int
    kind: QuestionKind
    cell: str
    step: str
    text: str
    parameter: str
    accepted: str
    schema: dict[str, Json]
    until: str


class Line(Wire, omit_defaults=True):
    """One line: an opening (with the injected source, for rebuilding), a cell's fate or outputs, asking, or words."""

    at: float
    """Seconds since the attempt began, on a monotonic clock."""
    opened: str | None = None
    injected: str = ""
    cell: CellFate | None = None
    outputs: list[dict[str, Json]] | None = None
    of: str = ""
    """The cell id that the outputs belong to."""
    phase: str = ""
    """The phase in which it showed them."""
    count: int | None = None
    """The kernel's execution count for it."""
    asked: Asked | None = None
    answered: Answered | None = None
    said: str = ""


class Transcript:
    """An open transcript.

    Args:
        path: the file; it is created and must not exist.
        make_room: called once when the disk is full, so that the end can still be told.
    """

    def __init__(self, path: Path, *, make_room: Callable[[], None]) -> None:
        self._make_room = make_room
        self.full = False
        """The disk was full once: what is written now lives on the reserve, and nothing new may begin."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)

    def append(self, line: Line) -> None:
        """Write one line and make it durable.

        Raises:
            OSError: if it could not be made durable, for example on a full disk.
        """
        self.append_all((line,))

    def append_all(self, lines: Iterable[Line]) -> None:
        """Write several lines and make them durable together.

        Raises:
            OSError: as `append`.
        """
        data = b"".join(canonical(line) + b"\n" for line in lines)
        while data:
            try:
                data = data[os.write(self._file, data) :]
            except OSError as error:
                if self.full or not is_full(error):
                    raise
                self.full = True
                self._make_room()
        os.fsync(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._file)


def lines(transcript: bytes) -> tuple[Line, ...]:
    """Read the lines that are whole; a torn one at the end is left out, as is all that comes after a damaged one."""
    found: list[Line] = []
    for raw in transcript.split(b"\n")[:-1]:
        try:
            found.append(msgspec.json.decode(raw, type=Line))
        except msgspec.MsgspecError:
            break
    return tuple(found)


def fates(transcript: bytes, *, dead: bool = False) -> tuple[CellFate, ...]:
    """Return each cell's newest fate, in the order of their beginnings.

    Args:
        transcript: the file's bytes so far.
        dead: the worker is gone, so that a cell that was running ended in a way that nobody knows.
    """
    newest: dict[tuple[str, str], CellFate] = {}
    for line in lines(transcript):
        if line.cell is not None:
            newest[line.cell.phase, line.cell.id] = line.cell
    return tuple(_ended(fate) if dead else fate for fate in newest.values())


def question(transcript: bytes) -> Asked | None:
    """Return what the worker waits for a person to answer, if it does."""
    if b'"asked"' not in transcript:
        return None
    return waiting(lines(transcript), None)


def waiting(read: Iterable[Line], waits: Asked | None) -> Asked | None:
    """Go on from what was waited for: say what is after these lines."""
    for line in read:
        if line.asked is not None:
            waits = line.asked
        elif line.answered is not None or line.said:
            # Whatever it says after a question ends the waiting: it has an answer, or it stops.
            waits = None
    return waits


def _ended(fate: CellFate) -> CellFate:
    if fate.fate is not Fate.RUNNING:
        return fate
    return msgspec.structs.replace(fate, fate=Fate.UNKNOWN, error="the worker was lost while this cell ran")


def rebuild(transcript: bytes, notebook: bytes) -> tuple[bytes, tuple[CellFate, ...]]:
    """Make the executed notebook of a dead worker from what it left.

    Args:
        transcript: its transcript.
        notebook: the runbook's exact bytes.

    Returns:
        The notebook with the outputs of every finished cell, and the cells' fates. If something in them has the form
        of a credential, the outputs and errors are withheld, as in an outcome.
    """
    read = lines(transcript)
    injected = next((line.injected for line in read if line.opened is not None), "")
    known = fates(transcript, dead=True)
    answers = tuple(line.answered for line in read if line.answered is not None)
    whole = executed.notebook(notebook, injected=injected, shown=outputs(read), answers=answers)
    public = "\n".join((notebook.decode("utf-8", "replace"), injected, *(one.source for one in answers)))
    if not scan.gate({"executed": whole, "fates": canonical(known)}, masker=Masker({}), public=public):
        return whole, known
    bare = tuple(msgspec.structs.replace(fate, error="withheld" if fate.error else "") for fate in known)
    return executed.notebook(notebook, injected=injected, shown={}, answers=answers), bare


def outputs(read: Iterable[Line]) -> dict[str, executed.Shown]:
    """Collect the outputs by cell id, of all tries; a cell that ran again in a fresh kernel keeps its first."""
    first: dict[str, str] = {}
    found: dict[str, executed.Shown] = {}
    for line in read:
        if line.outputs is not None and first.setdefault(line.of, line.phase) == line.phase:
            before = found[line.of].outputs if line.of in found else ()
            found[line.of] = executed.Shown(outputs=(*before, *line.outputs), count=line.count)
    return found
