"""The words of every comment: facts go in, Markdown comes out. Nothing is posted here; `publish.py` does that.

The words themselves are in `templates/`. A template writes an untrusted value only through code: the environment's
`finalize` puts every value into a code span unless it was made harmless before, so forgetting it cannot open a hole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from runner.approval.decide import Decision
from runner.digest import SHORT, Digest
from runner.evidence.manifest import Cancelled
from runner.execution.outcome import Outcome
from runner.ledger.bodies import Question
from runner.plan.plan import Plan
from runner.publication import markers
from runner.publication.course import THE_WHOLE_RUNBOOK, Course
from runner.publication.markdown import Markdown, code, excerpt, fence, link, picture
from runner.publication.markers import Kind
from runner.publication.notices import Ended, EndedView, Head, OwedView, QuestionView
from runner.publication.outputs import Outputs
from runner.publication.views import (
    NOTHING,
    Link,
    PlanView,
    ResultView,
    StatusView,
    bar,
    duration,
    plan_view,
    result_view,
)

if TYPE_CHECKING:
    from jinja2 import Environment

LARGEST = 60_000
"""Characters of a comment, far below what forges accept, so that it can be mailed and read."""

_BUDGETS = ((30_000, 60), (8_000, 30), (0, 8))
"""Characters for outputs and entries of a list, tried in this order until the comment fits; the last always does."""


def plan_comment(
    *,
    plan: Plan,
    digest: Digest,
    decision: Decision,
    head: Head,
    course: Course = THE_WHOLE_RUNBOOK,
    begun: bool = False,
    related: Sequence[str] = (),
    outputs: Outputs = NOTHING,
    salt: str = "",
    review: str = "",
) -> str:
    """Write the comment that approvers read: new for every plan and every attempt, and never edited.

    Args:
        plan: the plan.
        digest: sha256 of its exact bytes: what is approved.
        decision: what policy says to it now.
        head: the ledger's head, so that this comment is a witness of it.
        course: what this attempt goes through, of a later attempt or a revert.
        begun: it was allowed at once, and has started before anybody was told.
        related: issues and merge requests that may be named, as `#12` and `!34`.
        outputs: what the cells of the rehearsal showed; without any, what the plan itself holds of its plan cells.
        salt: of the digest of the words of a request on a confidential issue, if this machine knows it.
        review: where the change is reviewed that it proposes.
    """
    view = plan_view(plan, digest=digest, decision=decision, head=head, course=course, begun=begun)
    shown = outputs if outputs.cells else replace(outputs, cells=view.outputs.cells)
    files = tuple(one.path for one in plan.proposal.files) if plan.proposal else ()
    view = replace(view, broke=plan.break_glass, outputs=shown, hush=plan.requested.confidential, salt=salt)
    view = replace(view, review=review, files=files, related=tuple(related))
    return _fitting("plan.md.j2", view, marker=markers.of(plan.run, Kind.PLAN, course.attempt))


def status_comment(
    *, run: str, state: str, attempt: int = 1, step: str = "", done: int = 0, cells: int = 0, seconds: float = 0.0
) -> str:
    """Write the comment that is edited in place while a run goes on; it proves nothing.

    Args:
        run: the run's id.
        state: its state, in one word.
        attempt: which attempt.
        step: the current cell's name, if there is one.
        done: how many cells have ended.
        cells: how many there are.
        seconds: time since the attempt started.
    """
    view = StatusView(run=run, attempt=attempt, state=state, step=step, bar=bar(done, cells), elapsed=duration(seconds))
    return _fitting("status.md.j2", view, marker=markers.of(run, Kind.STATUS, attempt))


def result_comment(
    *,
    outcome: Outcome,
    plan: Plan,
    attempt: int,
    links: Sequence[Link],
    head: Head,
    late: bool = False,
    cancelled: Cancelled | None = None,
    outputs: Outputs = NOTHING,
) -> str:
    """Write how an attempt ended: a new comment, never edited.

    `links` come from `Forge.link`; `late` says that the start had been given up before this word of it came;
    `cancelled` says who ended it; `outputs` is what its cells showed.
    """
    view = result_view(
        outcome, plan=plan, attempt=attempt, links=tuple(links), head=head, late=late, cancelled=cancelled
    )
    view = replace(view, outputs=outputs)
    kind = Kind.LATE if late else Kind.RESULT
    return _fitting("result.md.j2", view, marker=markers.of(plan.run, kind, attempt))


def question_comment(*, plan: Plan, question: Question, accepted: str, who: str, number: int, head: Head) -> str:
    """Write what a run asks in the middle of it: a new comment, never edited.

    Args:
        plan: of the run.
        question: what it asks.
        accepted: what it takes for an answer, in words.
        who: the people who may answer, as policy has them.
        number: of the question's event.
        head: the ledger's head.
    """
    view = QuestionView(
        run=plan.run,
        runbook=plan.runbook.name,
        targets=plan.targets,
        text=question.text,
        step=question.step,
        parameter=question.parameter,
        accepted=accepted,
        until=question.until,
        who=who,
        ordinal=question.ordinal,
        head=head,
    )
    return _fitting("question.md.j2", view, marker=markers.of(plan.run, Kind.QUESTION, number))


def ended_comment(*, plan: Plan, state: Ended, by: str, reason: str, head: Head, attempt: int = 0) -> str:
    """Write that a run was rejected, expired, cancelled before its start, lost or resolved.

    `attempt` is 0 for a run that never started. `by` is empty where nobody did it.
    """
    view = EndedView(
        run=plan.run,
        state=state.value,
        by=by,
        reason=reason,
        targets=plan.targets,
        head=head,
        broke=bool(plan.break_glass),
    )
    kind = Kind.INTERRUPTED if state is Ended.INTERRUPTED else Kind.RESULT
    return _fitting("ended.md.j2", view, marker=markers.of(plan.run, kind, attempt))


def owed_comment(*, plan: Plan, digest: Digest, debt: str, head: Head) -> str:
    """Remind people of the approvals that an emergency owes; `debt` says which, and until when. Said once."""
    view = OwedView(run=plan.run, targets=plan.targets, why=plan.emergency, debt=debt, short=digest[:SHORT], head=head)
    return _fitting("owed.md.j2", view, marker=markers.of(plan.run, Kind.OWED, 1))


def glass_issue(*, plan: Plan, request: str) -> str:
    """Describe the issue about what ran by break-glass; `request` are the words that were signed."""
    return _sized("glass.md.j2", {"plan": plan, "request": request}, marker=markers.glass(plan.run))


def refusal(*, key: str, verb: str, by: str, reasons: Sequence[str], hint: str = "") -> str:
    """Answer a command that is not carried out, with every reason."""
    return _reply("refusal.md.j2", key, verb=verb, by=by, reasons=tuple(reasons), hint=hint)


def help_reply(*, key: str, verbs: Sequence[tuple[str, str]]) -> str:
    """Answer `help`: each command as it is written, and what it does."""
    return _reply("help.md.j2", key, verbs=tuple(verbs))


def status_reply(*, key: str, lines: Sequence[str]) -> str:
    """Answer `status` with lines that say where the issue's runs stand."""
    return _reply("answer.md.j2", key, lines=tuple(lines))


def page(template: str, **values: object) -> str:
    """Fill one of the templates that is no comment, and so has no marker."""
    return _environment().get_template(template).render(values | {"budget": 0, "rows": 60}).strip() + "\n"


def _reply(template: str, key: str, **values: object) -> str:
    return _sized(template, values, marker=markers.reply(key))


def _fitting(
    template: str, view: PlanView | StatusView | QuestionView | ResultView | EndedView | OwedView, *, marker: str
) -> str:
    return _sized(template, {"view": view}, marker=marker)


def _sized(template: str, values: dict[str, object], *, marker: str) -> str:
    text = ""
    for budget, rows in _BUDGETS:
        words = _environment().get_template(template).render(values | {"budget": budget, "rows": rows})
        text = f"{words.strip()}\n\n{marker}\n"
        if len(text) < LARGEST:
            break
    return text


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=StrictUndefined,
        finalize=_harmless,
        autoescape=False,  # noqa: S701 - the output is Markdown: `finalize` does what escaping does for HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = code
    environment.filters["fence"] = fence
    environment.filters["excerpt"] = excerpt
    environment.filters["picture"] = picture
    environment.filters["link"] = link
    environment.filters["ours"] = Markdown
    return environment


def _harmless(value: object) -> str:
    return value if isinstance(value, Markdown) else code(str(value))
