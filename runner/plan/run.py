"""The run: one plan's life as a fold over its events. What may come in which state is in `states.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from runner.digest import Digest, Json
from runner.errors import IntegrityError
from runner.ledger.bodies import (
    Answer,
    Approve,
    Body,
    Cancel,
    Expire,
    Finish,
    Interrupt,
    Late,
    Plan,
    Question,
    Rehearsal,
    Reject,
    Resolution,
    Resolve,
    Resume,
    Revoke,
    Rollback,
    Start,
    Status,
)
from runner.ledger.event import Event
from runner.plan.states import LEGAL, OVER, RunState, legal

__all__ = [
    "NEW",
    "OVER",
    "SAME",
    "Run",
    "RunState",
    "fold",
    "legal",
    "may_follow",
    "misfit",
    "not_resumable",
    "step",
    "values_given",
]


SAME, NEW = "same", "new"
"""What a resume says of approvals: the earlier ones count again, or only later ones do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as its events tell it.

    `approvals` are the approve events that nobody revoked and, since a resume that asks for new ones, only the later
    ones. `start`, `cancel`, `end` and all after it speak of the current attempt; `resumed` is what began it.
    `questions` and `answers` are those of the current attempt, in order: the n-th answer is to the n-th question.
    """

    id: str
    state: RunState
    plan: Plan
    planned: Event
    approvals: tuple[Event, ...] = ()
    revoked: tuple[Event, ...] = ()
    start: Event | None = None
    questions: tuple[Event, ...] = ()
    answers: tuple[Event, ...] = ()
    cancel: Event | None = None
    end: Event | None = None
    late: Event | None = None
    outcome: Status | None = None
    rollback: Rollback | None = None
    message: str = ""
    resumed: Event | None = None
    comments: frozenset[str] = field(default_factory=frozenset)
    """Request keys and comment ids that were already taken into the record."""

    @property
    def attempt(self) -> int:
        """The current attempt; 0 before the first start. A resume begins the next one, before that has started."""
        begun = self.start or self.resumed
        return begun.body.attempt if begun and isinstance(begun.body, Start | Resume) else 0

    @property
    def next_attempt(self) -> int:
        """The attempt that a start would begin now."""
        return self.attempt if self.start is None and self.resumed else self.attempt + 1

    @property
    def digest(self) -> Digest:
        """What approvers approve."""
        return self.plan.plan_digest

    @property
    def over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in OVER

    @property
    def question(self) -> Event | None:
        """The question that waits for its answer."""
        waits = self.state is RunState.STARTED and len(self.questions) > len(self.answers)
        return self.questions[-1] if waits else None

    @property
    def approvable(self) -> bool:
        """A failed rehearsal is recorded and cannot be approved; what an emergency owes is approved afterwards."""
        owes = bool(self.plan.owes_by) and self.start is not None
        return (owes or self.state is RunState.PLANNED) and self.plan.rehearsal is not Rehearsal.FAILED


def may_follow(run: Run, body: Body) -> bool:
    """Whether an event may come after what this run has seen: by its state, and for what an emergency still owes."""
    if isinstance(body, Approve) and run.plan.owes_by and run.start is not None:
        return True
    return legal(run.state, body)


def misfit(run: Run, body: Body) -> str:
    """Say why an event that is legal in the run's state does not fit it all the same; empty if it fits."""
    match body:
        case Start() if body.after != run.plan.break_glass:
            return "is recorded after the fact, or before it, and its plan says otherwise"
        case Finish() if run.plan.break_glass:
            return "is no end for what ran by break-glass"
        case Question():
            if run.start is None or run.start.seq != body.start:
                return f"asks in start {body.start}, which is not the open one"
            if run.question is not None or body.ordinal != len(run.questions) + 1:
                return f"is question {body.ordinal}, after {len(run.questions)} with {len(run.answers)} answered"
        case Answer():
            if run.question is None or run.question.seq != body.question:
                return f"answers {body.question}, which is not the open question"
        case Resume():
            why = not_resumable(run)
            if why or body.attempt != run.attempt + 1:
                return f"may not resume it: {why or f'attempt {body.attempt} does not follow attempt {run.attempt}'}"
        case _:
            pass
    return ""


def fold(events: Sequence[Event]) -> Run:
    """A run from its events, in order.

    Raises:
        IntegrityError: at the first event that may not come where it does.
    """
    if not events or not isinstance(events[0].body, Plan):
        raise IntegrityError("reading a run", "it does not begin with a plan")
    first = events[0]
    plan = first.body
    if not isinstance(plan, Plan) or first.run is None:
        raise IntegrityError("reading a run", f"event {first.seq} plans no run")
    run = Run(
        id=first.run,
        state=RunState.PLANNED,
        plan=plan,
        planned=first,
        comments=frozenset({plan.said.comment}),
    )
    for event in events[1:]:
        run = step(run, event)
    return run


def step(run: Run, event: Event) -> Run:
    """The run after one more event.

    Raises:
        IntegrityError: if that event may not come now.
    """
    body = event.body
    if not may_follow(run, body):
        raise IntegrityError(
            f"reading run {run.id}", f"event {event.seq} ({event.type}) may not follow {run.state.value}"
        )
    if wrong := misfit(run, body):
        raise IntegrityError(f"reading run {run.id}", f"event {event.seq} {wrong}")
    _same_plan(run, event)
    match body:
        case Approve() | Revoke() | Reject() | Cancel() | Resolve() | Resume() | Answer():
            heard = _heard(run, event)
            return replace(heard, comments=heard.comments | {body.said.comment})
        case Expire():
            return replace(run, state=RunState.EXPIRED, end=event)
        case Start():
            return replace(run, state=RunState.STARTED, start=event, questions=(), answers=())
        case Question():
            return replace(run, questions=(*run.questions, event))
        case _:
            return _ended(run, event)


def _heard(run: Run, event: Event) -> Run:
    """The run after a person's word."""
    match event.body:
        case Approve():
            return replace(run, approvals=(*run.approvals, event))
        case Revoke() as body:
            return _revoke(run, event, body)
        case Reject() as body:
            return replace(run, state=RunState.REJECTED, end=event, message=body.reason)
        case Cancel():
            over = run.state is RunState.PLANNED
            state = RunState.CANCELLED if over else run.state
            return replace(run, state=state, cancel=event, end=event if over else None)
        case Resolve() as body:
            return replace(run, state=RunState.RESOLVED, end=event, message=body.reason)
        case Resume() as body:
            return _resume(run, event, body)
        case Answer():
            return replace(run, answers=(*run.answers, event))
        case _:
            return run


def _ended(run: Run, event: Event) -> Run:
    match event.body:
        case Finish() as body:
            _same_start(run, body.start, event)
            done = replace(run, state=RunState.FINISHED, end=event, outcome=body.outcome)
            return replace(done, rollback=body.rollback, message=body.message)
        case Interrupt() as body:
            _same_start(run, body.start, event)
            return replace(run, state=RunState.INTERRUPTED, end=event, message=body.reason)
        case Late() as body:
            _same_start(run, body.start, event)
            return replace(run, late=event)
        case _:
            return run


def not_resumable(run: Run) -> str:
    """Say why a run cannot have another attempt, as far as its events tell; empty if it can."""
    if run.state not in LEGAL[Resume]:
        return f"it is {run.state.value}; only a run that has ended without success is resumed"
    if run.plan.break_glass:
        return "it ran by break-glass: ask anew"
    if run.outcome is Status.SUCCEEDED:
        return "it succeeded: there is nothing to resume"
    found = run.end.body.decision if run.end and isinstance(run.end.body, Resolve) else None
    if found is Resolution.COMPLETED:
        return "it was resolved as completed: there is nothing to resume"
    if run.rollback in {Rollback.PARTIAL, Rollback.FAILED}:
        return f"its rollback is {run.rollback.value}, so nobody knows which of its changes are in place"
    if given := values_given(run):
        return f"somebody gave {', '.join(given)} a value while it ran, which a next attempt would not have: ask anew"
    return ""


def values_given(run: Run) -> dict[str, Json]:
    """The values that people gave parameters in the current attempt; the last one counts."""
    given: dict[str, Json] = {}
    for question, answer in zip(run.questions, run.answers, strict=False):
        if isinstance(question.body, Question) and isinstance(answer.body, Answer) and question.body.parameter:
            given[question.body.parameter] = answer.body.value
    return given


def _resume(run: Run, event: Event, body: Resume) -> Run:
    return replace(
        run,
        state=RunState.PLANNED,
        resumed=event,
        approvals=run.approvals if body.approval == SAME else (),
        start=None,
        cancel=None,
        end=None,
        late=None,
        outcome=None,
        rollback=None,
        message="",
    )


def _revoke(run: Run, event: Event, body: Revoke) -> Run:
    kept = tuple(one for one in run.approvals if one.seq != body.approval)
    if len(kept) == len(run.approvals):
        raise IntegrityError(f"reading run {run.id}", f"event {event.seq} revokes {body.approval}, no approval")
    return replace(run, approvals=kept, revoked=(*run.revoked, event))


def _same_plan(run: Run, event: Event) -> None:
    digest = getattr(event.body, "plan_digest", run.digest)
    if digest != run.digest:
        raise IntegrityError(f"reading run {run.id}", f"event {event.seq} speaks of another plan ({digest[:12]})")


def _same_start(run: Run, start: int, event: Event) -> None:
    if run.start is None or run.start.seq != start:
        raise IntegrityError(
            f"reading run {run.id}", f"event {event.seq} closes start {start}, which is not the open one"
        )
