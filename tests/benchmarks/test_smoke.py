"""The benchmarks run, on histories so short that their figures mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks import reading, stage, writing
from tests.benchmarks.row import at_least, at_most


def test_the_figures_are_made_and_judged(tmp_path: Path) -> None:
    rows = [
        *writing.growth(tmp_path, large=20, small=10),
        *writing.race(processes=2, appends=2, group=1),
        *reading.questions(tmp_path, runs=20),
        *reading.proving(tmp_path, sizes=(5, 10)),
    ]
    assert {row.goal for row in rows} == {"5", "7", "8", "10"}
    assert all(row.measured for row in rows)
    assert next(row for row in rows if "lost or doubled" in row.what).hit


def test_the_notebooks_are_as_large_as_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(json.loads(stage.many_cells(200))["cells"]) == 200
    cells = json.loads(stage.much_output(1, cells=2))["cells"]
    for cell in cells:
        exec(cell["source"])  # noqa: S102 - our own source, to count what it prints
    assert len(capsys.readouterr().out) == 1_000_000
    assert set(stage.NOTEBOOKS) >= {"plain", "rehearsed", "realistic", "cells-200", "output-500"}


def test_a_miss_is_called_one() -> None:
    assert at_most("1", "x", 2, limit=1).cells()[-1] == "MISS"
    assert at_most("1", "x", 1, limit=1).cells()[-1] == "hit"
    assert at_least("1", "x", 1, limit=2).cells()[-1] == "MISS"
