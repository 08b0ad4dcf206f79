from __future__ import annotations

from collections.abc import Mapping

import pytest

from runner.digest import Json
from runner.execution.outcome import ExitReason, Fate
from runner.execution.replies import judge
from runner.execution.stopping import Cause

OK: Mapping[str, Json] = {"status": "ok", "payload": []}


@pytest.mark.parametrize(
    ("reply", "cause", "dead", "fate", "reason"),
    [
        (OK, None, False, Fate.OK, None),
        (OK, Cause.CELL_TIMEOUT, False, Fate.TIMED_OUT, ExitReason.CELL_TIMEOUT),
        (OK, Cause.RUN_TIMEOUT, False, Fate.TIMED_OUT, ExitReason.RUN_TIMEOUT),
        (OK, Cause.CANCELLED, False, Fate.INTERRUPTED, ExitReason.CANCELLED),
        (OK, Cause.HURRY, True, Fate.INTERRUPTED, ExitReason.CANCELLED),
        (OK, Cause.NO_ROOM, False, Fate.INTERRUPTED, ExitReason.INTERNAL_ERROR),
        (None, None, True, Fate.FAILED, ExitReason.KERNEL_DIED),
        (None, None, False, Fate.UNKNOWN, ExitReason.INTERNAL_ERROR),
        ({"status": "ok", "payload": [{"source": "ask_exit"}]}, None, False, Fate.FAILED, ExitReason.EARLY_EXIT),
        ({"status": "error", "ename": "SystemExit", "evalue": "0"}, None, False, Fate.FAILED, ExitReason.EARLY_EXIT),
        ({"status": "error", "ename": "ValueError"}, None, False, Fate.FAILED, ExitReason.CELL_ERROR),
        ({"status": "aborted"}, None, False, Fate.FAILED, ExitReason.CELL_ERROR),
        ({}, None, False, Fate.FAILED, ExitReason.CELL_ERROR),
    ],
)
def test_only_an_ok_reply_that_nothing_outranks_is_ok(
    *, reply: Mapping[str, Json] | None, cause: Cause | None, dead: bool, fate: Fate, reason: ExitReason | None
) -> None:
    verdict = judge(reply, cause=cause, dead=dead, timeout=3)
    assert (verdict.fate, verdict.reason) == (fate, reason)
    assert bool(verdict.error) == (fate is not Fate.OK)


def test_colours_are_taken_out_of_an_error() -> None:
    reply: Mapping[str, Json] = {"status": "error", "ename": "E", "evalue": "\x1b[31mred\x1b[0m"}
    assert judge(reply, cause=None, dead=False, timeout=None).error == "E: red"
