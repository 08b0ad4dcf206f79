"""The bulletin: what a sign of life tells whoever watches a run from another machine.

Small, and looked through before it leaves this machine: the worker masked every secret that it knows, and here what has
the form of a credential withholds the words. It is neither signed nor evidence: whoever may push can write one, so
nothing is decided by it, and how a run ended is only ever read from the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from runner.digest import Wire, canonical
from runner.execution.outcome import CellFate
from runner.execution.progress import Progress, Said
from runner.runbook import leaks

NAME = "bulletin.json"
"""The file in the heartbeat's commit that holds it."""
WORDS = 8 * 1024
"""Characters of the log's end that are told."""
CELLS = 500
"""Cells that are told."""
LARGEST = 512 * 1024
"""Bytes of a bulletin that are read."""


class Bulletin(Wire):
    """How far an attempt is. `at` counts the bulletins' log: seconds of its last words."""

    attempt: int
    seconds: float
    cells: tuple[CellFate, ...]
    said: tuple[Said, ...]
    withheld: str = ""
    """The pattern that withheld the words."""


def make(progress: Progress, *, attempt: int) -> Bulletin:
    """Write one.

    Args:
        progress: with the whole log that is at hand: what is cut off is scanned too, since a credential that begins
            there may reach into what is told.
        attempt: of the run.
    """
    # An error's words are in the log already.
    cells = tuple(msgspec.structs.replace(one, error="") for one in progress.cells[:CELLS])
    # Two cells are two texts to the scan, but hardly to a reader: they are looked through as one.
    found = leaks.in_output("".join(one.text for one in progress.said))
    words = () if found else _end(progress.said)
    withheld = found[0].rule if found else ""
    return Bulletin(attempt=attempt, seconds=round(progress.seconds, 1), cells=cells, said=words, withheld=withheld)


def encode(bulletin: Bulletin) -> bytes:
    """The file's bytes."""
    return canonical(bulletin)


def read(data: bytes | None) -> Bulletin | None:
    """Read one; None where there is none that could be read. Whatever stands in it is somebody's word."""
    if data is None or len(data) > LARGEST:
        return None
    try:
        return msgspec.json.decode(data, type=Bulletin)
    except msgspec.MsgspecError:
        return None


def _end(said: Sequence[Said]) -> tuple[Said, ...]:
    """The last words, from the beginning of a piece on, or from the middle of the one that is longer than that."""
    kept: list[Said] = []
    room = WORDS
    for one in reversed(said):
        if room <= 0:
            break
        kept.append(msgspec.structs.replace(one, text=one.text[-room:]))
        room -= len(one.text)
    return tuple(reversed(kept))
