"""How the loop is: for whoever watches over it, and for its own decisions about nothing.

The numbers are Prometheus's; readiness is one question: has a round succeeded lately?
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

ROUNDS_MISSED = 3
"""How many rounds in a row may fail or be late before it is said."""


class Health:
    """Counts what happens.

    Args:
        every: seconds between two rounds.
        waiting: asks the inbox how much waits in it.
        clock: monotonic seconds.
    """

    def __init__(
        self, *, every: float, waiting: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._every, self._clock = every, clock
        self._succeeded: float | None = None
        self._trouble = "no round has ended yet"
        self.registry = CollectorRegistry()
        self.deliveries = Counter(
            "runbook_deliveries_total",
            "Deliveries by what became of them: new, again, echo (of our own doing), refused, failed.",
            ["result"],
            registry=self.registry,
        )
        self._rounds = Counter(
            "runbook_rounds_total", "Rounds of the loop by how they ended.", ["result"], registry=self.registry
        )
        self._seconds = Histogram(
            "runbook_round_seconds",
            "How long a round took.",
            buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000),
            registry=self.registry,
        )
        self._runs = Gauge("runbook_runs", "Runs that are not over, by state.", ["state"], registry=self.registry)
        self._last = Gauge(
            "runbook_last_round_timestamp_seconds", "When a round last succeeded.", registry=self.registry
        )
        inbox = Gauge("runbook_inbox_waiting", "Deliveries that no round has come after yet.", registry=self.registry)
        inbox.set_function(waiting)

    def succeeded(self, *, seconds: float, runs: Mapping[str, int]) -> None:
        """A round ended well: so many runs are now in each state."""
        self._rounds.labels(result="ok").inc()
        self._seconds.observe(seconds)
        self._last.set_to_current_time()
        self._runs.clear()
        for state, number in runs.items():
            self._runs.labels(state=state).set(number)
        self._succeeded, self._trouble = self._clock(), ""

    def failed(self, wrong: str) -> None:
        """A round could not be carried through; `wrong` is for people and holds no secret."""
        self._rounds.labels(result="failed").inc()
        self._trouble = wrong

    def not_ready(self) -> str:
        """Why nobody should rely on this process now; empty if they may."""
        if self._succeeded is None:
            return self._trouble
        late = self._clock() - self._succeeded
        if late <= self._every * ROUNDS_MISSED:
            return ""
        return f"no round has succeeded for {late:.0f} s{f': {self._trouble}' if self._trouble else ''}"

    def text(self) -> bytes:
        """All numbers, in Prometheus's own format."""
        return generate_latest(self.registry)
