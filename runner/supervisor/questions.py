"""What an open question needs to be answered: the schema of its value, and what was written since it was asked."""

from __future__ import annotations

import json
from dataclasses import replace

from runner.approval import answers
from runner.approval.meant import Known as Meant
from runner.errors import RequestError
from runner.ledger.bodies import Question, QuestionKind
from runner.ledger.event import from_iso
from runner.plan.plan import Plan
from runner.plan.run import Run
from runner.ports.forge import CommentId, Thread
from runner.publication import markers
from runner.publication.markers import Kind
from runner.runbook import cells
from runner.runbook.cells import Role
from runner.runbook.parameters import Schema
from runner.snapshot import Known
from runner.supervisor.desk import Desk


def answerable(desk: Desk, known: Known, meant: Meant) -> Meant:
    """The run as commands speak of it, with what its open question needs to be answered."""
    question = answers.question_of(known.run)
    if question is None:
        return meant
    return replace(
        meant,
        schema=schema(desk, known.plan, question),
        since=_since(known.thread, marker_of(known.run)),
        late=desk.now() >= from_iso(question.until),
    )


def marker_of(run: Run) -> str:
    """By what the comment that tells the newest question is found."""
    return markers.of(run.id, Kind.QUESTION, run.questions[-1].seq if run.questions else 0)


def _since(thread: Thread, marker: str) -> frozenset[CommentId]:
    """The comments that were written after the question was put on the issue."""
    asked = markers.find(thread, marker)
    ids = [comment.id for comment in thread.comments]
    return frozenset(ids[ids.index(asked.id) + 1 :]) if asked else frozenset()


def schema(desk: Desk, plan: Plan, question: Question) -> Schema:
    """The parameters as the runbook at the plan's commit declares them; nothing for a question that needs none."""
    if question.kind is not QuestionKind.ASK:
        return Schema()
    data = desk.workspace.objects.read(plan.runbook.commit, plan.runbook.path) or b"{}"
    try:
        read = cells.read(json.loads(data))
    except (RequestError, ValueError):
        return Schema()
    return Schema.read(next((cell.source for cell in read if cell.role is Role.PARAMETERS), ""))
