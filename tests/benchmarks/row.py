"""One line of the benchmark table, and the measuring that all of them share."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A measured ratio or figure beside its goal. `hit` is None where there is no goal."""

    goal: str
    what: str
    measured: str
    limit: str
    hit: bool | None

    def cells(self) -> tuple[str, ...]:
        """As text."""
        word = "-" if self.hit is None else "hit" if self.hit else "MISS"
        return (self.goal, self.what, self.measured, self.limit, word)


def at_most(goal: str, what: str, value: float, *, limit: float, unit: str = "x", detail: str = "") -> Row:
    """A figure that should be small."""
    measured = f"{value:.3g} {unit}" + (f" ({detail})" if detail else "")
    return Row(goal=goal, what=what, measured=measured, limit=f"<= {limit:g} {unit}", hit=value <= limit)


def at_least(goal: str, what: str, value: float, *, limit: float, unit: str = "x", detail: str = "") -> Row:
    """A figure that should be large."""
    measured = f"{value:.3g} {unit}" + (f" ({detail})" if detail else "")
    return Row(goal=goal, what=what, measured=measured, limit=f">= {limit:g} {unit}", hit=value >= limit)


def seconds(act: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def in_turn(
    acts: Sequence[Callable[[], object]], *, rounds: int, rest: Callable[[], object] = lambda: None
) -> list[list[float]]:
    """Seconds of each act, measured in turn (A B A B ...) after one round that does not count.

    Args:
        acts: what to measure.
        rounds: how often.
        rest: what happens before each round, unmeasured.
    """
    found: list[list[float]] = [[] for _ in acts]
    for round_ in range(rounds + 1):
        rest()
        for place, act in enumerate(acts):
            took = seconds(act)
            if round_:
                found[place].append(took)
    return found


def ratio(mine: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios, round by round."""
    return statistics.median(one / other for one, other in zip(mine, theirs, strict=True))


def middle(found: Sequence[float]) -> float:
    """The median."""
    return statistics.median(found)


def load() -> str:
    """How busy the machine was over the last minute: a figure taken on a busy one says less."""
    return f"{os.getloadavg()[0]:.1f}"
