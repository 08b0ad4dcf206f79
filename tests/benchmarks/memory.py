"""How much memory a run takes: a kernel that waits, and a worker whose cells show much."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.row import Row, at_most
from tests.benchmarks.stage import BIN, Stage, staged

MB = 1024 * 1024


def rows() -> Iterator[Row]:
    """A waiting kernel is measured by the shared part of its pages too: many of them share one interpreter."""
    with staged() as stage:
        few = _peak(stage, "output-5")
        yield Row(goal="4", what="a kernel at rest", measured=f"{few['kernel']:.0f} MB", limit="-", hit=None)
        yield Row(goal="4", what="a worker, 5 MB of outputs", measured=f"{few['worker']:.0f} MB", limit="-", hit=None)
        many = _peak(stage, "output-500")
        detail = f"{many['worker']:.0f} MB"
        limit = few["worker"] + 600
        yield at_most("4", "a worker, 500 MB of outputs", many["worker"], limit=limit, unit="MB", detail=detail)


def _peak(stage: Stage, name: str) -> dict[str, float]:
    """The most memory that the worker and its kernel ever held at once while a runbook ran, in MB."""
    command = [str(BIN / "runbook"), "run", name]
    process = subprocess.Popen(
        command, cwd=stage.clone, env=stage.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    most = {"worker": 0.0, "kernel": 0.0}
    while process.poll() is None:
        for kind, used in _looked(str(stage.folder)):
            most[kind] = max(most[kind], used)
        time.sleep(0.05)
    assert process.returncode == 0
    return most


def _looked(folder: str) -> Iterator[tuple[str, float]]:
    for place in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, StopIteration):
            words = (place / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if not any(folder in word for word in words):
                continue
            kind = "worker" if "worker" in words else "kernel" if any("kernel_start" in one for one in words) else ""
            if kind and "guardian" not in " ".join(words):
                lines = (place / "status").read_text().splitlines()
                yield kind, int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / MB
