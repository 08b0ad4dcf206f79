"""What a kernel's reply means: one cell's fate, and nothing that papermill says about it.

Pure. What the engine itself did (it timed out, it interrupted) outranks the reply, because a cell can swallow the
interrupt and answer `ok`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from runner.digest import Json
from runner.execution.outcome import ExitReason, Fate
from runner.execution.stopping import Cause

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_LONGEST = 2000
"""Characters of an error that are kept; the whole is in the traceback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A cell's end. `reason` is None if it was ok; `error` is for people and not masked yet."""

    fate: Fate
    reason: ExitReason | None = None
    error: str = ""


def judge(reply: Mapping[str, Json] | None, *, cause: Cause | None, dead: bool, timeout: float | None) -> Verdict:
    """Judge one cell.

    Args:
        reply: the content of the kernel's execute_reply; None if there was none.
        cause: why the engine stopped the cell, if it did.
        dead: the kernel died while the cell ran.
        timeout: the cell's limit in seconds, for words.
    """
    if cause is not None:
        return _stopped(cause, timeout=timeout)
    if dead:
        return Verdict(fate=Fate.FAILED, reason=ExitReason.KERNEL_DIED, error="kernel died")
    if reply is None:
        return Verdict(fate=Fate.UNKNOWN, reason=ExitReason.INTERNAL_ERROR, error="the kernel gave no reply")
    if reply.get("status") == "ok":
        if _asked_to_exit(reply):
            error = "the cell asked the kernel to exit; end a runbook early by failing, not by quit()"
            return Verdict(fate=Fate.FAILED, reason=ExitReason.EARLY_EXIT, error=error)
        return Verdict(fate=Fate.OK)
    name = str(reply.get("ename") or reply.get("status") or "error")
    error = _ANSI.sub("", f"{name}: {reply.get('evalue') or ''}").strip(": ")
    reason = ExitReason.EARLY_EXIT if name == "SystemExit" else ExitReason.CELL_ERROR
    return Verdict(fate=Fate.FAILED, reason=reason, error=error[:_LONGEST])


def _stopped(cause: Cause, *, timeout: float | None) -> Verdict:
    match cause:
        case Cause.CELL_TIMEOUT:
            error = f"it ran longer than its {timeout:g} s" if timeout else "it ran too long"
            return Verdict(fate=Fate.TIMED_OUT, reason=ExitReason.CELL_TIMEOUT, error=error)
        case Cause.RUN_TIMEOUT:
            return Verdict(fate=Fate.TIMED_OUT, reason=ExitReason.RUN_TIMEOUT, error="the run's time was over")
        case Cause.CANCELLED | Cause.HURRY:
            return Verdict(fate=Fate.INTERRUPTED, reason=ExitReason.CANCELLED, error="interrupted by a cancellation")
        case Cause.NO_ROOM:
            return Verdict(fate=Fate.INTERRUPTED, reason=ExitReason.INTERNAL_ERROR, error="the disk is full")
        case _:
            assert_never(cause)


def _asked_to_exit(reply: Mapping[str, Json]) -> bool:
    payload = reply.get("payload")
    items = payload if isinstance(payload, list) else []
    return any(isinstance(item, dict) and item.get("source") == "ask_exit" for item in items)
