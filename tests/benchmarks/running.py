"""Goals 1, 2 and 4, with what they cost under load: a run from request to pushed evidence, beside papermill alone.

The warm figures are of `runbook run` beside a long-lived `runbook reconcile` on the same machine: the whole command,
its own start included. Latency is one thing and throughput another, so both are printed.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.benchmarks.row import Row, at_most, in_turn, load, middle, ratio, seconds
from tests.benchmarks.stage import BIN, Stage, staged

SPARES = 2
"""Workers that the supervisor keeps ready: a rehearsal takes one and the run another."""
PATIENCE = 600.0
"""Seconds in which they have to be ready again."""


def warm(*, rounds: int = 5) -> Iterator[Row]:
    """Goals 1 and 2."""
    wanted = (
        ("1", "plain", "a plain notebook", 0.15),
        ("1", "rehearsed", "the same with roles, rehearsed first", 0.15),
        ("2", "realistic", "20 cells with pandas, a plot and processes, rehearsed first", 0.5),
    )
    with staged() as stage, _reconciling(stage):
        yield _refill(stage)
        for goal, name, words, limit in wanted:
            mine, other = in_turn(
                [stage.runbook("run", name), stage.papermill(name)], rounds=rounds, rest=lambda: _refilled(stage)
            )
            detail = f"{middle(mine) * 1000:.0f} ms beside {middle(other) * 1000:.0f} ms, load {load()}"
            yield at_most(
                goal, f"warm `runbook run`, {words} / papermill", ratio(mine, other), limit=limit, detail=detail
            )


def _refill(stage: Stage) -> Row:
    """What the latency does not show: the time until used spares are there again, on the same cores."""
    stage.runbook("run", "rehearsed")()
    took = seconds(lambda: _refilled(stage)) - 0.5
    what = f"{SPARES} spares ready again after a run that used them"
    return Row(goal="1", what=what, measured=f"{took:.1f} s (load {load()})", limit="-", hit=None)


def _refilled(stage: Stage) -> None:
    """Wait, unmeasured, until the spares are there again."""
    deadline = time.monotonic() + PATIENCE
    while len(list((stage.folder / "state").glob("*/spares/*/ready"))) < SPARES:
        assert time.monotonic() < deadline, "the spares were never ready"
        time.sleep(0.1)
    time.sleep(0.5)


def sustained(*, count: int = 12, at_once: int = 4) -> Iterator[Row]:
    """The companion of goals 1 and 2: as many runs as two cores give, beside as many papermill commands."""
    with staged() as stage:
        theirs = seconds(lambda: _together(stage.papermill("plain"), count=count, at_once=2))
        with _reconciling(stage):
            ours = seconds(lambda: _together(stage.runbook("run", "plain"), count=count, at_once=at_once))
    what = f"{count} runs, {at_once} asked for at once / {count} papermill, two at once"
    detail = f"{60 * count / ours:.0f} runs/min beside {60 * count / theirs:.0f}, load {load()}"
    yield Row(goal="1", what=what, measured=f"{ours / theirs:.2f} x ({detail})", limit="-", hit=None)


def _together(act: Callable[[], object], *, count: int, at_once: int) -> None:
    with ThreadPoolExecutor(at_once) as crowd:
        for done in [crowd.submit(act) for _ in range(count)]:
            done.result()


def large(*, rounds: int = 1) -> Iterator[Row]:
    """Goal 4: many cells and much output, each with a durable record before and after; cold, all of `runbook run`."""
    with staged() as stage:
        for name, words, limit in (
            ("cells-200", "200 cells", 0.3),
            ("output-5", "20 cells with 5 MB of outputs", 0.55),
        ):
            mine, other = in_turn([stage.runbook("run", name), stage.papermill(name)], rounds=rounds)
            detail = f"{middle(mine):.2f} s beside {middle(other):.2f} s, load {load()}"
            yield at_most("4", f"`runbook run` of {words} / papermill", ratio(mine, other), limit=limit, detail=detail)


def growth() -> Iterator[Row]:
    """What another cell and another megabyte cost, and that the cost does not grow with what was there before."""
    with staged() as stage:
        for unit, (few, some, many) in (("cells", (50, 200, 800)), ("output", (5, 50, 500))):
            took = {size: seconds(stage.runbook("run", f"{unit}-{size}")) for size in (few, some, many)}
            first = (took[some] - took[few]) / (some - few)
            second = (took[many] - took[some]) / (many - some)
            word = "cell" if unit == "cells" else "MB of output"
            detail = f"{first * 1000:.1f} ms from {few} to {some}, {second * 1000:.1f} ms from {some} to {many}"
            yield at_most("4", f"one more {word}, later / earlier", second / first, limit=1.5, detail=detail)


@contextmanager
def _reconciling(stage: Stage) -> Iterator[None]:
    """A long-lived supervisor beside the commands."""
    command = [str(BIN / "runbook"), "reconcile", "--every", "1", "--spares", str(SPARES)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=stage.clone, env=stage.env, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        _refilled(stage)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
