"""Trying a cell again: whether, after how long, and how the tries are told apart in the notebook.

Pure. Only what a cell's own code did is worth another try: an error that it raised, or its own time being over. What
somebody decided (a cancellation, the run's time) and what ended the kernel is not.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.digest import Json
from runner.execution.outcome import ExitReason
from runner.execution.phases import Step
from runner.execution.replies import Verdict
from runner.runbook.options import LONGEST_BACKOFF

ITS_OWN = frozenset({ExitReason.CELL_ERROR, ExitReason.CELL_TIMEOUT})
"""Ends that a cell brought about itself, with its kernel still there to go on in."""


def wait_before_next(step: Step, verdict: Verdict, *, tried: int, alive: bool) -> float | None:
    """Seconds to wait before the next try; None if there is none.

    Args:
        step: the cell.
        verdict: how its newest try ended.
        tried: how many tries there were.
        alive: its kernel still runs.
    """
    if verdict.reason not in ITS_OWN or not alive or tried > step.retries:
        return None
    return min(step.backoff * 2.0 ** (tried - 1), LONGEST_BACKOFF)


def told(outputs: Sequence[dict[str, Json]], *, tried: int, of: int, error: str) -> tuple[dict[str, Json], ...]:
    """What a failed try showed, and a line that says which one it was and why there is another.

    Its traceback becomes plain text: an error output in a notebook means that the cell failed, and it has not yet.
    """
    line = f"[try {tried} of {of} failed: {error}]\n"
    return (*(_as_text(output) for output in outputs), _stream(line))


def _as_text(output: dict[str, Json]) -> dict[str, Json]:
    if output.get("output_type") != "error":
        return output
    trace = output.get("traceback")
    return _stream("\n".join(map(str, trace if isinstance(trace, list) else [])) + "\n")


def _stream(text: str) -> dict[str, Json]:
    return {"output_type": "stream", "name": "stderr", "text": text}
