"""What can happen next: the answers of `lifecycle.next_actions`, each a proposal. The supervisor carries them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from runner.approval.halting import Switching
from runner.publication.labels import Label
from runner.publication.markers import Kind
from runner.request.request import Request
from runner.snapshot import Glass, Heard, Known, Unheard


@dataclass(frozen=True, slots=True, kw_only=True)
class MakePlan:
    """Read the runbook, check the parameters, rehearse, freeze, append; or refuse with reasons."""

    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Reply to a comment, once."""

    unheard: Unheard


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Append what a person said."""

    heard: Heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Append a halt or what lifts it."""

    body: Switching


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Say something on the issue, once. Plan and result are never edited; status is, and proves nothing."""

    known: Known
    what: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Set the label of the issue; it mirrors where the run stands, and decides nothing."""

    known: Known
    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """Have whoever looks after the runbook assigned to the issue; what a person said about that is never undone."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire:
    """The plan's time ran out."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """Push the branch with the change that a plan proposes, and open its review; what is there is left as it is."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Close the review of a run that ended before it started; doing it twice is doing it once."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Judge again, take the locks, append the start."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Hand the signed work order to the executor; safe to repeat."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Put on record what a worker waits to know from a person."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """Bring a recorded answer to the worker that waits for it; doing it twice is doing it once."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Pass a recorded cancel on to the worker; saying it twice is saying it once."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Collect the sealed outcome and append it with its evidence (as `late` where the start was given up)."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnUp:
    """Put on record what ran by break-glass while the remote was away, once, and open an issue about it."""

    glass: Glass


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupt:
    """Record that the owner is lost and that what happened is unknown; the locks stay held."""

    known: Known
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Close the issue of a run that succeeded and whose header asks for it."""

    known: Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Await:
    """Nothing to do but to keep a running worker company: heartbeat, progress, status comment."""

    known: Known


Effect: TypeAlias = (
    MakePlan
    | Answer
    | Record
    | Switch
    | Tell
    | Mark
    | Assign
    | Close
    | Propose
    | Withdraw
    | Start
    | Submit
    | Ask
    | Deliver
    | Stop
    | Finish
    | Interrupt
    | Expire
    | OwnUp
)
"""Every action but waiting."""
OfRun: TypeAlias = Start | Submit | Ask | Deliver | Stop | Finish | Interrupt | Expire
"""What is done to one run in the ledger, or by its worker."""
Action: TypeAlias = Effect | Await


def _asking(known: Known) -> str:
    """Where a run is in its attempts, questions and answers: after each, the same action is another one."""
    return f"{known.run.attempt} {len(known.run.questions)} {len(known.run.answers)}"


def name_of(action: Action) -> str:
    """What makes two actions the same one."""
    match action:
        case MakePlan() | OwnUp():
            request = action.request if isinstance(action, MakePlan) else action.glass.plan.requested
            return f"plan {request.key}"
        case Answer():
            return f"answer {action.unheard.key}"
        case Record():
            said = action.heard.body.said
            return f"record {action.heard.run.id} {type(action.heard.body).__name__} {said.comment}"
        case Switch():
            return f"{type(action.body).__name__} {action.body.said.comment}"
        case Tell():
            return f"tell {action.known.run.id} {action.what.value} {_asking(action.known)}"
        case Mark():
            return f"mark {action.known.run.id} {action.label.value} {_asking(action.known)}"
        case Ask() | Deliver():
            return f"{type(action).__name__} {action.known.run.id} {_asking(action.known)}"
        case _:
            return f"{type(action).__name__} {action.known.run.id} {action.known.run.attempt}"
