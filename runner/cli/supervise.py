"""What commands share that let this machine's supervisor work: open, reconcile, and say where things stand after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.progress import watching

if TYPE_CHECKING:
    from runner.ports.forge import IssueId
    from runner.snapshot import Known, Snapshot
    from runner.wiring import Workspace

RUN_FAILED = 1
REQUESTER_NEXT = 2
APPROVER_NEXT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one run stands, for people and scripts. `waits_for` is empty when it is over."""

    run: str
    issue: str
    runbook: str
    targets: tuple[str, ...]
    plan: str
    state: str
    outcome: str
    rollback: str
    message: str
    waits_for: tuple[str, ...]
    next: str
    place: int = 0
    """In the queue for its locks, from 1; 0 for a run that does not stand in it."""
    owes: str = ""
    """What an emergency that has started still owes, and by when."""


def open_folder(folder: Path) -> Workspace:
    """Open the clone at a folder."""
    from runner.wiring import open_workspace

    return open_workspace(folder)


def reconcile(
    workspace: Workspace, *, only: IssueId | None = None, wait: bool = True, quiet: bool = False, log: bool = True
) -> Snapshot:
    """Do everything that can be done now, show it (with what cells say), and bring the evidence into the work tree.

    Raises:
        StoreAwayError, UnpreparedError: in the end, if something was put off because it could not be made ready.
    """
    from runner.evidence.view import refresh
    from runner.supervisor.supervisor import Supervisor
    from runner.wiring import now

    with watching(quiet=quiet, log=log) as watcher:
        supervisor = Supervisor(workspace, now=now, watcher=watcher)
        snapshot = supervisor.reconcile(only=only, wait=wait)
        for error in supervisor.put_off[1:]:
            watcher.say(f"put off: {error}")
    refresh(workspace.objects, branch=workspace.settings.evidence_branch)
    if supervisor.put_off:
        raise supervisor.put_off[0]
    return snapshot


def may_supervise(workspace: Workspace) -> bool:
    """Whether this machine has a key of its own for the project: then it may also carry out what people ask for."""
    return workspace.key_file().exists()


def answer(workspace: Workspace, issue: IssueId, key: str) -> str:
    """The runner's answer to one command, if it was refused; empty if it was not."""
    from runner.publication import markers

    found = markers.find(workspace.forge_as_person().thread(issue), markers.reply(key))
    return found.body.rsplit("\n\n", 1)[0] if found else ""


def standing(known: Known) -> Standing:
    """Where a run stands and which command comes next."""
    run, plan = known.run, known.plan
    return Standing(
        run=run.id,
        issue=run.plan.issue,
        runbook=plan.runbook.name,
        targets=plan.targets,
        plan=run.digest,
        state=run.state.value,
        outcome=run.outcome.value if run.outcome else "",
        rollback=run.rollback.value if run.rollback else "",
        message=run.message,
        waits_for=_waits(known),
        next=next_command(known),
        owes=_owes(known),
        place=len(known.ahead) + 1 if known.decision and known.decision.allowed else 0,
    )


def next_command(known: Known) -> str:
    """The next safe command for whoever reads this."""
    from runner.approval.answers import line, question_of
    from runner.plan.run import RunState

    run = known.run
    if question := question_of(run):
        return line(question, run=run.id).removeprefix("/")
    match run.state:
        case RunState.PLANNED if known.review and known.review.merge is None:
            return known.review.url  # people merge it there: a command on plain Git, else an address
        case RunState.PLANNED if known.decision and known.decision.may_approve:
            return f"runbook approve {run.digest[:12]}"
        case RunState.PLANNED | RunState.STARTED:
            return "runbook reconcile --once"
        case RunState.INTERRUPTED:
            return f"runbook resolve {run.id} OUTCOME REASON"
        case _:
            return f"runbook show {run.id}"


def exit_code(runs: Iterable[Known]) -> int:
    """1 if one of these runs failed or is interrupted, else 0."""
    from runner.ledger.bodies import Status
    from runner.plan.run import RunState

    def failed(known: Known) -> bool:
        interrupted = known.run.state is RunState.INTERRUPTED
        return interrupted or known.run.outcome not in {None, Status.SUCCEEDED}

    return RUN_FAILED if any(failed(known) for known in runs) else 0


def told(standings: Sequence[Standing]) -> str:
    """Where runs stand, in words."""
    lines = []
    for one in standings:
        ended = f": {one.outcome}" if one.outcome else ""
        lines.append(f"{one.run}: {one.state}{ended}{f' ({one.message})' if one.message else ''}")
        lines += [f"  waits for: {reason}" for reason in one.waits_for]
        lines += [f"  owes: {one.owes}"] if one.owes else []
        lines.append(f"  next: {one.next}")
    return "\n".join(lines)


def _owes(known: Known) -> str:
    from runner.wiring import now

    return known.owed.words(now()) if known.owed else ""


def _waits(known: Known) -> tuple[str, ...]:
    from runner.approval.answers import question_of
    from runner.approval.decide import Verdict
    from runner.plan.run import RunState

    if question := question_of(known.run):
        return (f"an answer to q{question.ordinal}, until {question.until}: {question.text}",)
    if known.run.state is RunState.STARTED:
        return ("its worker",) if known.ours else ("its owner, another supervisor",)
    if known.run.state is RunState.INTERRUPTED:
        how = ": it ran by break-glass" if known.plan.break_glass else ""
        return (f"somebody on call who says what came of it{how}",)
    if known.run.state is not RunState.PLANNED or known.decision is None:
        return ()
    halted = (f"somebody who lifts the halt (event {known.halted})",) if known.halted is not None else ()
    holder = (f"{known.holder}, which holds its lock",) if known.holder else ()
    line = (f"{known.ahead[0]}, which is ahead of it (place {len(known.ahead) + 1})",) if known.ahead else ()
    reasons = () if known.decision.verdict is Verdict.ALLOWED else known.decision.reasons
    return (*halted, *holder, *line, *reasons)
