"""What people are told, said once: plan, status and result on the issue, and answers to comments."""

from __future__ import annotations

from typing import assert_never

from runner.actions import Answer, Assign, Close, Mark, Tell
from runner.approval import answers
from runner.approval.decide import Decision, Verdict
from runner.digest import Digest, parse
from runner.errors import RunbookError
from runner.evidence import layout
from runner.evidence.manifest import Manifest
from runner.execution.outcome import Environment, ExitReason, Outcome
from runner.ledger.bodies import Cancel, Finish, Late, Reject, Resolve
from runner.ledger.event import Event
from runner.plan.run import Run, RunState
from runner.ports.forge import IssueId
from runner.publication import comments, markers
from runner.publication.labels import Label
from runner.publication.markers import Kind
from runner.publication.notices import Ended, Head
from runner.publication.outputs import Outputs
from runner.publication.publish import publish, relabel, update
from runner.publication.views import Link
from runner.request.request import Request
from runner.snapshot import Known, Unheard
from runner.supervisor import assigning, confidence, relating, resuming, showing
from runner.supervisor.desk import Desk

_ENDED = {
    RunState.REJECTED: Ended.REJECTED,
    RunState.EXPIRED: Ended.EXPIRED,
    RunState.CANCELLED: Ended.CANCELLED,
    RunState.RESOLVED: Ended.RESOLVED,
}


def say(desk: Desk, action: Answer | Tell | Mark | Assign | Close) -> None:
    """Carry out one of the actions that are words, or show where a run stands."""
    match action:
        case Answer():
            answer(desk, action.unheard)
        case Tell():
            tell(desk, action.known, action.what)
        case Mark():
            mark(desk, action.known, action.label)
        case Assign():
            assigning.assign(desk, action.known)
        case Close():
            desk.forge.close(IssueId(action.known.run.plan.issue))
        case never:
            assert_never(never)


def answer(desk: Desk, unheard: Unheard) -> None:
    """Reply to a comment, once."""
    publish(desk.forge, unheard.thread, marker=markers.reply(unheard.key), body=unheard.body)


def refuse(desk: Desk, request: Request, error: RunbookError) -> None:
    """Answer a request of which no plan is made, with the reason; once."""
    by, reasons = request.comment.author, (str(error),)
    body = comments.refusal(key=request.key, verb="the request", by=by, reasons=reasons, hint=error.hint)
    answer(desk, Unheard(thread=desk.forge.thread(request.comment.issue), key=request.key, body=body))


def tell(desk: Desk, known: Known, what: Kind) -> None:
    """Say one of a run's comments, once."""
    run = known.run
    marker = markers.of(run.id, what, attempt_of(run, what))
    if what is Kind.STATUS:
        status(desk, known, state=run.state.value)
    else:
        if run.start is not None and run.state is not RunState.STARTED:
            status(desk, known, state=run.outcome.value if run.outcome else run.state.value, seconds=_seconds(run))
        publish(desk.forge, known.thread, marker=marker, body=_body(desk, known, what))


def mark(desk: Desk, known: Known, label: Label) -> None:
    """Give the issue the labels that say where its newest run stands."""
    thread = desk.forge.thread(known.thread.issue.id)
    relabel(desk.forge, thread, label, risk=known.plan.risk, names=desk.workspace.settings.labels)


def status(
    desk: Desk, known: Known, *, state: str, step: str = "", done: int = 0, cells: int = 0, seconds: float = 0.0
) -> None:
    """Keep the one status comment of the attempt up to date; it proves nothing."""
    run = known.run
    body = comments.status_comment(
        run=run.id, state=state, attempt=run.attempt, step=step, done=done, cells=cells, seconds=seconds
    )
    thread = desk.forge.thread(known.thread.issue.id)
    update(desk.forge, thread, marker=markers.of(run.id, Kind.STATUS, run.attempt), body=body)


def attempt_of(run: Run, what: Kind) -> int:
    """A question is told once for its event, a debt for the run, all else for the attempt (the plan before it)."""
    if what is Kind.QUESTION:
        return run.questions[-1].seq if run.questions else 0
    if what is Kind.OWED:
        return 1
    return max(run.attempt, 1) if what is Kind.PLAN else run.attempt


def _seconds(run: Run) -> float:
    """How long the attempt took, as its end says."""
    return run.end.body.seconds if run.end and isinstance(run.end.body, Finish) else 0.0


def _body(desk: Desk, known: Known, what: Kind) -> str:
    run = known.run
    if what is Kind.PLAN:
        begun = run.state is RunState.STARTED
        decision = known.decision or Decision(
            verdict=Verdict.ALLOWED if begun else Verdict.DENIED, reasons=(f"the run is {run.state.value} already",)
        )
        course = resuming.course(desk, run, known.plan)
        commit = desk.ledger.cache.commit_of(run.planned.seq) or ""
        return comments.plan_comment(
            plan=known.plan,
            digest=run.digest,
            decision=decision,
            head=_head(desk),
            course=course,
            begun=begun,
            related=relating.linked(desk, known),
            outputs=showing.rehearsed(desk, known.plan, commit=commit),
            salt=confidence.salt_of(known.plan, known.thread, signer=desk.writer.signer),
            review=known.review.url if known.review else "",
        )
    if what is Kind.QUESTION:
        return _question(desk, known)
    if what is Kind.OWED and known.owed:
        debt = known.owed.words(desk.now())
        return comments.owed_comment(plan=known.plan, digest=run.digest, debt=debt, head=_head(desk))
    if what is Kind.LATE and run.late:
        return _executed(desk, known, run.late, late=True)
    if what is Kind.RESULT and run.end and isinstance(run.end.body, Finish):
        return _executed(desk, known, run.end, late=False)
    state = Ended.INTERRUPTED if what is Kind.INTERRUPTED else _ENDED[run.state]
    by, reason = _why(run)
    return comments.ended_comment(
        plan=known.plan, state=state, by=by, reason=reason, head=_head(desk), attempt=run.attempt
    )


def _question(desk: Desk, known: Known) -> str:
    question = answers.question_of(known.run)
    if question is None or known.asked is None:
        raise TypeError(f"run {known.run.id} asks nothing")
    return comments.question_comment(
        plan=known.plan,
        question=question,
        accepted=known.asked.accepted,
        who=answers.people_in_words(desk.policy, known.plan),
        number=attempt_of(known.run, Kind.QUESTION),
        head=_head(desk),
    )


def _executed(desk: Desk, known: Known, event: Event, *, late: bool) -> str:
    """The comment on an execution, from the sealed record alone: so it reads the same whoever says it."""
    run, body = known.run, event.body
    if not isinstance(body, Finish | Late):
        raise TypeError(f"event {event.seq} ends no execution")
    commit = desk.ledger.cache.commit_of(event.seq) or ""
    data = desk.workspace.objects.read(commit, layout.manifest_file(run.id, run.attempt)) or b""
    links = tuple(
        Link(name=name, where=desk.forge.link(commit=commit, path=path))
        for name, path in (
            ("executed notebook", layout.executed_file(run.id, run.attempt)),
            ("manifest", layout.manifest_file(run.id, run.attempt)),
            ("summary", layout.summary_file(run.id, run.attempt)),
        )
    )
    record = parse(Manifest, data)
    return comments.result_comment(
        outcome=_outcome(record),
        plan=known.plan,
        attempt=run.attempt,
        links=links,
        head=_head(desk),
        late=late,
        cancelled=record.result.cancelled,
        outputs=_plots(desk, known, record, commit=commit),
    )


def _plots(desk: Desk, known: Known, record: Manifest, *, commit: str) -> Outputs:
    path = layout.executed_file(known.run.id, known.run.attempt).removeprefix(layout.run_folder(known.run.id))
    digest = next((file.sha256 for file in record.files if file.path == path), record.plan_digest)
    return showing.ran(desk, known.plan, notebook=digest, commit=commit, attempt=known.run.attempt)


def _outcome(record: Manifest) -> Outcome:
    result, execution = record.result, record.execution
    nothing = Environment(python="", kernel="", platform="", packages=record.plan_digest, toolkit=record.plan_digest)
    return Outcome(
        status=result.outcome,
        exit_reason=ExitReason(result.exit_reason),
        rollback=result.rollback,
        started_at=execution.started_at,
        finished_at=execution.finished_at,
        seconds=execution.seconds,
        message=result.message,
        isolation=execution.isolation,
        environment=execution.environment or nothing,
        cells=result.cells,
        fingerprint=None,
        moved=result.moved,
        records=result.records,
        artifacts=(),
        redactions=record.redactions,
        withheld=result.withheld,
        restored=result.restored,
        notebook=record.plan_digest,
    )


def _why(run: Run) -> tuple[str, str]:
    body = run.end.body if run.end else None
    if isinstance(body, Reject | Cancel | Resolve):
        word = f"{body.decision.value}: " if isinstance(body, Resolve) else ""
        return body.said.by, word + body.reason
    return "", run.message


def _head(desk: Desk) -> Head:
    state = desk.ledger.state
    return Head(number=state.seq, digest=Digest(state.head))
