"""What the templates see: plain facts, picked from the nouns of earlier stages. No Markdown is made here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from runner.approval.decide import Decision, Verdict
from runner.digest import SHORT, Digest
from runner.evidence.manifest import Cancelled
from runner.execution.outcome import CellFate, ExitReason, Fate, Outcome
from runner.ledger.bodies import Rehearsal, Rollback, Status
from runner.plan.plan import Plan
from runner.publication.course import THE_WHOLE_RUNBOOK, Course, changes
from runner.publication.notices import Head
from runner.publication.outputs import CellOutput, Outputs

NOTHING = Outputs()
_MINUTE = 60
_HOUR = 3600
_BAR = 20
"""Characters of a bar: it fits beside its words on a phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where something is: what it is called, and what `Forge.link` says (a URL or a Git argument)."""

    name: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A name and a value, and a word on where the value came from."""

    name: str
    value: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A plan, as its approvers see it. `outputs` is what the cells of the rehearsal showed."""

    run: str
    runbook: str
    title: str
    risk: str
    targets: tuple[str, ...]
    irreversible: str | None
    changes: str
    requester: str
    issue_comment: str
    commit: str
    unreviewed: bool
    parameters: tuple[Pair, ...]
    secrets: tuple[str, ...]
    opens: tuple[str, ...]
    environment: str
    outputs: Outputs
    rehearsal: str
    message: str
    approvable: bool
    begun: bool
    decision: Decision
    expires: str
    urgency: Pair
    """Why it is an emergency, and by when it owes approvals; both are empty where it is none."""
    digest: Digest
    head: Head
    skips: tuple[Pair, ...] = ()
    """Cells that the parameters leave out, with their conditions."""
    conditional: tuple[Pair, ...] = ()
    """Cells of which only the run itself decides whether they run, with their conditions."""
    asks: tuple[Pair, ...] = ()  # steps, and what a person is asked before each
    course: Course = THE_WHOLE_RUNBOOK
    broke: str = ""
    """Why it ran by break-glass, before anybody could be told."""
    hush: bool = False
    """Whether it was asked for on a confidential issue; `salt` is that of the digest of its words."""
    salt: str = ""
    review: str = ""
    """Where the change to `files` is merged that it proposes; that is its approval."""
    files: tuple[str, ...] = ()
    related: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """What policy says to it now."""
        return self.decision.verdict.value

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why policy says so."""
        return self.decision.reasons

    @property
    def short(self) -> str:
        """The digits of the digest that people write."""
        return self.digest[:SHORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """Where a run stands now, as text. `bar` is empty where nothing is known of its cells."""

    run: str
    attempt: int
    state: str
    step: str
    bar: str
    elapsed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultView:
    """How an attempt ended, as everybody sees it. `ran` of `cells` forward cells were answered `ok`.

    `skipped` were left out, and `went_on` says that the run did not stop at the cell that failed.
    """

    run: str
    runbook: str
    attempt: int
    targets: tuple[str, ...]
    outcome: str
    exit_reason: str
    rollback: str
    duration: str
    failed: str
    error: str
    message: str
    moved: str
    withheld: bool
    ran: int
    cells: int
    links: tuple[Link, ...]
    next: str
    head: Head
    late: bool
    skipped: int = 0
    went_on: bool = False
    reverts: str = ""
    restored: bool | None = None
    resumable: bool = False
    cancelled_by: str = ""
    cancelled_why: str = ""
    outputs: Outputs = NOTHING


def plan_view(
    plan: Plan,
    *,
    digest: Digest,
    decision: Decision,
    head: Head,
    course: Course = THE_WHOLE_RUNBOOK,
    begun: bool = False,
) -> PlanView:
    """Pick what approvers have to see from a plan and the decision on it; what has `begun` waits for nobody."""
    return PlanView(
        run=plan.run,
        runbook=plan.runbook.name,
        title=plan.title,
        risk=plan.risk,
        targets=plan.targets,
        irreversible=plan.irreversible,
        changes=changes(plan),
        requester=plan.requested.by,
        issue_comment=plan.requested.comment,
        commit=plan.runbook.commit,
        unreviewed=plan.unreviewed,
        parameters=_parameters(plan),
        secrets=tuple(sorted({*plan.read_secrets, *plan.change_secrets})),
        environment=f"{plan.environment.path} {plan.environment.sha256[:SHORT]}" if plan.environment else "",
        opens=_opens(plan),
        outputs=_planned(plan),
        rehearsal=plan.rehearsal.result.value,
        message=plan.rehearsal.message,
        approvable=plan.rehearsal.result is not Rehearsal.FAILED and decision.verdict is not Verdict.DENIED,
        begun=begun,
        decision=decision,
        expires=plan.expires_at,
        urgency=Pair(name=plan.emergency, value=plan.owes_by),
        digest=digest,
        head=head,
        asks=tuple(Pair(name=one.step, value=one.text) for one in plan.questions),
        skips=tuple(Pair(name=one.name, value=one.when) for one in plan.conditional if one.runs is False),
        conditional=tuple(Pair(name=one.name, value=one.when) for one in plan.conditional if one.runs is None),
        course=course,
    )


def _planned(plan: Plan) -> Outputs:
    """What the plan itself holds of the rehearsal: of its plan cells alone."""
    return Outputs(cells=tuple(CellOutput(name=cell, text=text) for cell, text in plan.rehearsal.outputs.items()))


def _parameters(plan: Plan) -> tuple[Pair, ...]:
    values = {name: json.dumps(one.value, ensure_ascii=False) for name, one in plan.parameters.items()}
    return tuple(Pair(name=name, value=values[name], source=one.source) for name, one in plan.parameters.items())


def result_view(
    outcome: Outcome,
    *,
    plan: Plan,
    attempt: int,
    links: tuple[Link, ...],
    head: Head,
    late: bool = False,
    cancelled: Cancelled | None = None,
) -> ResultView:
    """Pick what everybody has to see from an outcome."""
    forward = [cell for cell in outcome.cells if cell.phase == "forward"]
    failed = _stopped_at(forward) or _stopped_at(outcome.cells)
    return ResultView(
        run=plan.run,
        runbook=plan.runbook.name,
        attempt=attempt,
        targets=plan.targets,
        outcome=outcome.status.value,
        exit_reason=outcome.exit_reason.value,
        rollback=outcome.rollback.value,
        duration=duration(outcome.seconds),
        failed=_cell(failed) if failed else "",
        error=failed.error if failed else "",
        message=outcome.message,
        moved=outcome.moved,
        withheld=outcome.withheld,
        ran=sum(cell.fate is Fate.OK for cell in forward),
        cells=len(forward),
        links=links,
        next=_next(outcome, plan.run),
        head=head,
        late=late,
        skipped=sum(cell.fate is Fate.SKIPPED for cell in forward),
        went_on=outcome.exit_reason is ExitReason.STEP_FAILED,
        reverts=plan.revert_of or "",
        restored=outcome.restored,
        resumable=_resumable(outcome) and not late,
        cancelled_by=cancelled.by if cancelled else "",
        cancelled_why=cancelled.reason if cancelled else "",
    )


def _stopped_at(cells: Sequence[CellFate]) -> CellFate | None:
    """The last cell that began and was not answered ok: a run may have gone on after earlier ones."""
    quiet = {Fate.OK, Fate.NOT_RUN, Fate.SKIPPED}
    return next((cell for cell in reversed(cells) if cell.fate not in quiet), None)


def duration(seconds: float) -> str:
    """Write a length of time for people: `4.2 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def bar(done: int, cells: int) -> str:
    """Draw how far something is, in characters: `████████░░░░░░░░░░░░ 2 of 5`; empty where there is nothing to do."""
    if cells <= 0:
        return ""
    # Full only when it is done: a cell that runs has not ended, however many there are.
    full = _BAR * min(done, cells) // cells
    return f"{'█' * full}{'░' * (_BAR - full)} {done} of {cells}"


def _opens(plan: Plan) -> tuple[str, ...]:
    return (
        *(("network",) if plan.network else ()),
        *(("processes of the host",) if plan.processes == "host" else ()),
        *(f"read {path}" for path in plan.read),
        *(f"write {path}" for path in plan.write),
    )


def _cell(cell: CellFate) -> str:
    tries = f" after {cell.tries} tries" if cell.tries > 1 else ""
    return f"{cell.name} ({cell.fate.value.replace('_', ' ')}{tries})"


def _resumable(outcome: Outcome) -> bool:
    """Whether it makes sense to speak of another attempt; whether there may be one is judged when it is asked for."""
    known = outcome.rollback not in {Rollback.PARTIAL, Rollback.FAILED}
    return known and outcome.status is not Status.SUCCEEDED and outcome.exit_reason is not ExitReason.NOT_RESTORED


def _next(outcome: Outcome, run: str) -> str:
    if outcome.status is Status.SUCCEEDED:
        return f"runbook verify\nrunbook show {run}"
    if outcome.rollback in {Rollback.NOT_NEEDED, Rollback.COMPLETE}:
        return f"runbook show {run}"
    # What is half done has to be looked at before anything else is asked for.
    return f"runbook show {run}\nrunbook status"
