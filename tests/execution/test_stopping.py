from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.execution.stopping import Cause, Stopping


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_a_cells_own_time_and_the_runs_time_are_told_apart(tmp_path: Path) -> None:
    clock = Clock()
    stopping = Stopping(tmp_path, clock=clock)
    stopping.limit(10)
    assert stopping.cause(since=100, timeout=3, forward=True) is None
    clock.now = 103
    assert stopping.cause(since=100, timeout=3, forward=True) is Cause.CELL_TIMEOUT
    assert stopping.cause(since=100, timeout=None, forward=True) is None
    clock.now = 110
    assert stopping.between(forward=True) is Cause.RUN_TIMEOUT
    # What undoes and cleans up has its own cells' limits only.
    assert stopping.between(forward=False) is None
    assert stopping.cause(since=100, timeout=3, forward=False) is Cause.CELL_TIMEOUT


@pytest.mark.parametrize(
    ("word", "rollback"), [("leave", False), ("rollback", True), ("rollback\n", True), ("", False)]
)
def test_the_file_asks_for_the_end(tmp_path: Path, *, word: str, rollback: bool) -> None:
    stopping = Stopping(tmp_path, clock=Clock())
    assert not stopping.cancelled
    (tmp_path / "cancel").write_text(word)
    assert stopping.between(forward=True) is Cause.CANCELLED
    assert stopping.between(forward=False) is None
    assert stopping.rollback is rollback


def test_one_signal_ends_in_order_and_two_at_once(tmp_path: Path) -> None:
    stopping = Stopping(tmp_path, clock=Clock())
    stopping.listen()
    os.kill(os.getpid(), signal.SIGTERM)
    assert stopping.between(forward=True) is Cause.CANCELLED
    assert stopping.between(forward=False) is None
    os.kill(os.getpid(), signal.SIGINT)
    assert stopping.hurry
    assert stopping.between(forward=False) is Cause.HURRY
