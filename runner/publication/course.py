"""What an attempt would do, as approvers see it: its changes in a line, and its course where that is a special one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.ledger.bodies import Rehearsal
from runner.plan.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a plan's attempt goes through, where that is not simply the whole runbook: a later attempt, or a revert.

    `done` are the steps that are not repeated, each with its attempt; `left` those that run; `doubtful` those of them
    that began before and did not end ok. `undoes` are the changes that a revert takes back, in its order.
    """

    attempt: int = 1
    by: str = ""
    reason: str = ""
    done: Mapping[str, int] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    reverts: str = ""
    undoes: tuple[str, ...] = ()
    proves: bool = False


THE_WHOLE_RUNBOOK = Course()
"""What a first attempt goes through."""


def changes(plan: Plan) -> str:
    """Say what the rehearsal saw that would change, in one line."""
    if plan.rehearsal.result is Rehearsal.FAILED:
        return "unknown: the rehearsal failed"
    if plan.rehearsal.result is Rehearsal.NOTHING:
        return "unknown: it has nothing that can be rehearsed"
    lines = [line for text in plan.rehearsal.outputs.values() for line in text.splitlines() if line.strip()]
    # Terraform says its sum in such a line; everybody else says the sum first.
    total = next((line for line in lines if line.startswith("Plan: ")), lines[0] if lines else "")
    return total.strip() or "its plan cells printed nothing"
