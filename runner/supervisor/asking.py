"""The effects of a question in the middle of a run: put on record, and its answer brought to the worker that waits.

Each is safe to repeat: the fold takes a question once, and an answer is the same file however often it is brought.
"""

from __future__ import annotations

from runner.digest import canonical
from runner.evidence.seal import event_draft
from runner.execution.asking import PAYLOAD_TYPE, Given, file_of
from runner.ledger.bodies import Answer, Question, Start
from runner.ledger.chain import Draft
from runner.ledger.envelope import make_envelope
from runner.ledger.state import State
from runner.plan.run import Run
from runner.snapshot import Known
from runner.supervisor.desk import Desk
from runner.supervisor.gather import work_key
from runner.supervisor.record import append


def ask(desk: Desk, known: Known) -> bool:
    """Put on record what the worker waits to know."""
    asked, start = known.asked, known.run.start
    if asked is None or start is None:
        raise TypeError(f"run {known.run.id} asks nothing")
    body = Question(
        start=start.seq,
        ordinal=asked.ordinal,
        kind=asked.kind,
        cell=asked.cell,
        step=asked.step,
        text=asked.text,
        until=asked.until,
        parameter=asked.parameter,
    )

    def draft(fresh: Run, _state: State) -> Draft | None:
        return event_draft(fresh, known.plan, body, title=f"question: {known.plan.runbook.name}: {asked.step}")

    return bool(append(desk.ledger, known.run, draft, writer=desk.writer, now=desk.now))


def deliver(desk: Desk, known: Known) -> None:
    """Bring the recorded answer to the worker, signed for that question of that start."""
    run = known.run
    start = run.start.body if run.start else None
    event = run.answers[-1]
    question = run.questions[len(run.answers) - 1].body
    if not isinstance(start, Start) or not isinstance(question, Question) or not isinstance(event.body, Answer):
        raise TypeError(f"run {run.id} has no answer to bring")
    given = Given(
        run=run.id,
        attempt=start.attempt,
        nonce=start.nonce,
        ordinal=question.ordinal,
        event=event.seq,
        by=event.body.said.by,
        value=event.body.value,
    )
    signed = make_envelope(canonical(given), payload_type=PAYLOAD_TYPE, signer=desk.writer.signer)
    desk.executor.deliver(work_key(run), file_of(question.ordinal), signed)
