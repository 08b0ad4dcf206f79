"""Sealing: a run's files and the event that names them, drafted for one commit.

Nothing is pushed here: `ledger/chain.py` does that. What goes in was masked and scanned by the worker; the words of the
request and comments pass the scan here, since people paste secrets into issues too.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.digest import Digest, sha256
from runner.evidence import layout, manifest, summary
from runner.evidence.manifest import Manifest, Previous
from runner.execution.outcome import Outcome
from runner.ledger.bodies import Body, Finish, Late, Rehearsal, Said
from runner.ledger.bodies import Plan as PlanBody
from runner.ledger.chain import Draft
from runner.ledger.event import ROOT, Event
from runner.plan.plan import Plan
from runner.plan.run import Run


def plan_draft(
    plan: Plan,
    *,
    said: Said,
    request: str | None,
    rehearsal: bytes | None,
    issue: str = "",
    artifacts: Mapping[str, bytes] | None = None,
    proposal: bytes | None = None,
) -> Draft:
    """The plan event with its files: the plan, the rehearsal, what it proposes and the words of the request.

    `request` is None where the words stay on a confidential issue. `issue` is where people are told of what was not
    asked for in an issue; `artifacts` are large outputs of the
    rehearsal, by the path that its notebook names.
    """
    issue = issue or plan.requested.issue
    data = plan.to_bytes()
    files = {layout.plan_file(plan.run): data}
    if request is not None:
        files[layout.request_file(plan.run)] = request.encode()
    if rehearsal is not None:
        files[layout.rehearsal_file(plan.run)] = rehearsal
        files |= {f"{layout.run_folder(plan.run)}{path}": content for path, content in (artifacts or {}).items()}
    if proposal is not None:
        files[layout.proposal_file(plan.run)] = proposal
    body = PlanBody(
        plan_digest=sha256(data),
        request_key=plan.requested.key,
        runbook=plan.runbook.name,
        runbook_commit=plan.runbook.commit,
        risk=plan.risk,
        locks=plan.locks,
        policy_commit=plan.policy_commit,
        expires=plan.expires_at,
        rehearsal=plan.rehearsal.result,
        nonce=plan.nonce,
        issue=issue,
        said=said,
        revert_of=plan.revert_of,
        owes_by=plan.owes_by,
        break_glass=bool(plan.break_glass),
    )
    failed = " (rehearsal failed)" if plan.rehearsal.result is Rehearsal.FAILED else ""
    title = f"plan: {plan.runbook.name} on {', '.join(plan.targets)}{failed}"
    return Draft(body=body, run=plan.run, title=title, files=files, trailers=trailers(plan, sha256(data), issue=issue))


def end_draft(
    run: Run,
    plan: Plan,
    *,
    approvals: tuple[Event, ...],
    outcome: Outcome,
    files: Mapping[str, bytes],
    previous: Previous | None = None,
) -> Draft:
    """The finish (or, for an owner that was given up, the late) event with everything that an attempt left.

    Args:
        run: the run, started or interrupted.
        plan: its plan.
        approvals: the approve events that its start names.
        outcome: the worker's word.
        files: what the worker sealed: `executed.ipynb` and `artifacts/...`.
        previous: the attempt before; None for the first.
    """
    start = run.start
    if start is None:
        raise TypeError(f"run {run.id} was never started")
    attempt = run.attempt
    inside = {f"attempts/{attempt}/{name}": data for name, data in files.items() if name != "outcome.json"}
    record = manifest.make(
        plan,
        digest=run.digest,
        start=start,
        approvals=approvals,
        outcome=outcome,
        files=inside,
        previous=previous,
        cancel=run.cancel,
    )
    kind: type[Finish | Late] = Late if run.end is not None else Finish
    body: Body = kind(
        start=start.seq,
        outcome=outcome.status,
        rollback=outcome.rollback,
        exit_reason=outcome.exit_reason.value,
        manifest=sha256(record.to_bytes()),
        seconds=outcome.seconds,
        message=outcome.message,
    )
    word = "late" if kind is Late else "finish"
    title = f"{word}: {plan.runbook.name} on {', '.join(plan.targets)}: {outcome.status.value}"
    extra = [("Runbook-Outcome", outcome.status.value)]
    people = [("Approved-By", one.by) for one in record.approvals]
    lines = (*trailers(plan, run.digest, issue=run.plan.issue), *extra, *people)
    return Draft(body=body, run=run.id, title=title, files=_stored(run, record, inside), trailers=lines)


def _stored(run: Run, record: Manifest, inside: Mapping[str, bytes]) -> dict[str, bytes]:
    """Every file of an attempt by its path."""
    stored = {f"{layout.run_folder(run.id)}{name}": data for name, data in inside.items()}
    stored[layout.manifest_file(run.id, run.attempt)] = record.to_bytes()
    stored[layout.summary_file(run.id, run.attempt)] = summary.render(record).encode()
    return stored


def about(run: Run) -> tuple[tuple[str, str], ...]:
    """The subject of an event that adds no file: the plan that it speaks of."""
    return ((layout.plan_file(run.id).removeprefix(ROOT), run.digest),)


def event_draft(
    run: Run, plan: Plan, body: Body, *, title: str, trailers_too: tuple[tuple[str, str], ...] = ()
) -> Draft:
    """An event about a run that adds no file."""
    lines = (*trailers(plan, run.digest, issue=run.plan.issue), *trailers_too)
    return Draft(body=body, run=run.id, title=title, about=about(run), trailers=lines)


def trailers(plan: Plan, digest: Digest, *, issue: str) -> tuple[tuple[str, str], ...]:
    """What stock `git log` can be asked about any event of a run."""
    return (
        ("Runbook-Name", plan.runbook.name),
        ("Runbook-Target", ", ".join(plan.targets)),
        ("Runbook-Plan", f"sha256:{digest}"),
        ("Runbook-Issue", issue),
        ("Requested-By", plan.requested.by),
        *((("Runbook-Revert-Of", plan.revert_of),) if plan.revert_of else ()),
    )
