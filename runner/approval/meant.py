"""Which run of an issue a command speaks of: by digest, by id, or by being the only one that can be meant. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from runner.approval.approval import Approval, approvals
from runner.approval.owed import Owed
from runner.digest import SHORT
from runner.ledger.bodies import Body
from runner.plan.plan import Plan
from runner.plan.run import Run
from runner.ports.forge import CommentId
from runner.request import arguments as asked
from runner.runbook.parameters import Schema

Done: TypeAlias = (
    asked.Approve | asked.Revoke | asked.Reject | asked.Cancel | asked.Resolve | asked.Resume | asked.Answer
)
"""Arguments of the verbs that do something to a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A run of this issue: its state, its plan, and its events as (number, time, body).

    What its open question needs, where it has one: `schema` of the runbook's parameters, the comments written `since`
    it was put on the issue, and whether it is `late` to answer it. `owed` is what it owes, of an emergency.
    """

    run: Run
    plan: Plan
    events: tuple[tuple[int, str, Body], ...]
    schema: Schema = field(default_factory=Schema)
    since: frozenset[CommentId] = frozenset()
    late: bool = False
    owed: Owed | None = None

    @property
    def approvals(self) -> tuple[Approval, ...]:
        """The approvals that were recorded so far."""
        return approvals(self.events)


class RefusedError(Exception):
    """Carries a refusal's reason up to where the refusal is made."""


def meant(args: Done, runs: Sequence[Known]) -> Known:
    """Find the run that a command speaks of; `cancel` and `answer` may leave it out where only one can be meant.

    Raises:
        RefusedError: if none is, or more than one.
    """
    match args:
        case asked.Approve() | asked.Revoke() | asked.Reject():
            return _by_digest(args.digest, runs)
        case asked.Resolve() | asked.Resume():
            return _by_id(args.run, runs)
        case asked.Cancel(which=""):
            possible = [known for known in runs if not known.run.over]
            if len(possible) != 1:
                raise RefusedError(f"it has to name the run. {_current(runs)}")
            return possible[0]
        case asked.Answer(which=""):
            asking = [known for known in runs if known.run.question]
            if not asking:
                raise RefusedError("nothing is asked on this issue now")
            if len(asking) > 1:
                names = ", ".join(known.run.id for known in asking)
                raise RefusedError(f"it has to name the run before the answer, since several ask: {names}")
            return asking[0]
        case asked.Answer():
            return _by_id(args.which, runs)
        case asked.Cancel():
            return _by_id(args.which, runs) if "-" in args.which else _by_digest(args.which, runs)
    assert_never(args)


def _by_id(run: str, runs: Sequence[Known]) -> Known:
    found = next((known for known in runs if known.run.id == run), None)
    if found is None:
        raise RefusedError(f"no run of this issue is {run}. {_current(runs)}")
    return found


def _by_digest(prefix: str, runs: Sequence[Known]) -> Known:
    found = [known for known in runs if len(prefix) >= SHORT and known.run.digest.startswith(prefix)]
    if len(found) > 1:
        raise RefusedError(f"{prefix} fits {len(found)} plans; write more digits")
    if not found:
        raise RefusedError(f"no plan of this issue begins with {prefix}. {_current(runs)}")
    return found[0]


def _current(runs: Sequence[Known]) -> str:
    waiting = [known for known in runs if not known.run.over]
    if not waiting:
        return "No plan is waiting here now."
    told = ", ".join(f"{known.run.digest[:SHORT]} ({known.run.id}, {known.run.state.value})" for known in waiting)
    return f"The current plan is {told}." if len(waiting) == 1 else f"The current plans are {told}."
