"""The queue: who is next for a lock. It is kept nowhere: it follows from the ledger and from who may start now.

Plans that may start now stand in the order in which they were put on record, emergencies before all others. A plan that
still waits for approvals, a window or the end of a freeze does not stand in the queue, so it holds nobody up. A plan
with several locks keeps its place in the queue of each: it cannot be overtaken for ever by plans with one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A run that may start as soon as its locks are free. `planned` is the number of its plan event."""

    run: str
    planned: int
    locks: tuple[str, ...]
    urgent: bool = False


def ahead(waiting: Iterable[Waiting]) -> Mapping[str, tuple[str, ...]]:
    """Name, for each run, those that come before it for any of its locks, next one first."""
    line = sorted(waiting, key=lambda one: (not one.urgent, one.planned))
    return {
        one.run: tuple(other.run for other in line[:place] if not set(other.locks).isdisjoint(one.locks))
        for place, one in enumerate(line)
    }
