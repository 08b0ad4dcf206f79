"""Executions as somebody sees them who watches: cells named a, b, ... and what they said."""

from __future__ import annotations

from runner.execution.outcome import CellFate, Fate
from runner.execution.progress import Progress, Said

RUN = "20261123T115900Z-disk-cleanup-7k3q2x2m"


def cell(place: int, fate: Fate, *, seconds: float | None = None, error: str = "", why: str = "") -> CellFate:
    return CellFate(
        index=place,
        id=f"c{place}",
        role="change",
        name="abcdef"[place],
        phase="forward",
        fate=fate,
        seconds=seconds,
        error=error,
        why=why,
    )


def progress(*cells: CellFate | Fate, said: tuple[tuple[int, str], ...] = (), key: str = f"{RUN}/1") -> Progress:
    """How far it is; `said` are places of cells and their words."""
    return Progress(
        key=key,
        cells=tuple(one if isinstance(one, CellFate) else cell(place, one) for place, one in enumerate(cells)),
        said=tuple(
            Said(at=0.0, phase="forward", cell=f"c{place}", name="abcdef"[place], text=text) for place, text in said
        ),
    )
