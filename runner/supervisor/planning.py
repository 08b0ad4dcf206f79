"""From a request to a plan on record: find, check, rehearse, freeze, append. Or the reasons why not."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import msgspec

from runner.approval import answers
from runner.approval.collect import said
from runner.approval.decide import may_request, secrets_refused
from runner.approval.rules import ISOLATION
from runner.digest import parse, sha256
from runner.errors import OperatorError, RequestError
from runner.evidence.seal import plan_draft
from runner.execution import toolkit_copy
from runner.execution.outcome import Outcome
from runner.execution.plan_files import PREFIX
from runner.execution.progress import Progress
from runner.ledger.bodies import Rehearsal, Status
from runner.ledger.chain import Draft
from runner.ledger.state import State
from runner.plan.draft import Terms, draft, freeze, owing
from runner.plan.plan import Plan, Rehearsed, SavedFile
from runner.plan.proposal import written
from runner.plan.run import Run, fold
from runner.ports.forge import PersonId
from runner.request.request import Request
from runner.runbook import catalog, leaks
from runner.runbook.cells import Role
from runner.runbook.finding import Severity
from runner.runbook.lint import lint
from runner.runbook.runbook import Runbook
from runner.supervisor import confidence, orders, preparing, proposed, reverts
from runner.supervisor.desk import Desk


class NotRecordedError(OperatorError):
    """The request is good and its plan cannot be put on record: for the operator, and no reason to refuse it."""


Watch = Callable[[str, Progress | None], None]
"""Told, again and again, the run id and how far the rehearsal is; None where that is nothing new."""


def make_plan(desk: Desk, request: Request, *, progress: Watch) -> Run | None:
    """Make the plan that a request asks for and put it on record.

    Returns:
        The run, or None if another supervisor has planned this request already.

    Raises:
        RequestError: with everything that keeps the request from being planned.
        NotRecordedError: if this machine cannot write to the ledger: asking again is not needed.
        StoreAwayError, UnpreparedError: if a secret or the environment cannot be had: nothing is put on record.
        OutsideError: if the rehearsal could not be carried out at all.
    """
    _nothing_leaks(request)
    runbook, plan = _drafted(desk, request)
    plan = _isolated(desk, msgspec.structs.replace(plan, emergency=request.emergency))
    plan = confidence.asked_in(plan, request, signer=desk.writer.signer)
    _may_request(desk, plan)
    confidence.check(desk.policy, plan, request)
    _can_be_done(desk, plan)
    rehearsed, left = _rehearse(desk, runbook, plan, watch=lambda so_far: progress(plan.run, so_far))
    change = proposed.change(desk, plan, left, rehearsed=rehearsed)
    made, life = change.proposal if change else None, desk.policy.plan_expires
    plan = freeze(plan, rehearsed=rehearsed, files=_saved(left), now=desk.now(), life=life, proposal=made)
    if plan.emergency:
        plan = owing(plan, due=_due(desk, plan))
    _keep(desk, plan, left)
    if left:
        _still_as_public(desk, request)
    words = said(request.comment)
    event = plan_draft(
        plan,
        said=confidence.bare(words) if request.confidential else words,
        request=None if request.confidential else request.comment.body,
        rehearsal=left.get("executed.ipynb"),
        artifacts={path: data for path, data in left.items() if path.startswith("artifacts/")},
        proposal=written(change.files) if change else None,
    )

    def build(_state: State) -> Sequence[Draft]:
        twice = desk.ledger.cache.run_of(request.key) or (plan.revert_of and reverts.already(desk, plan.revert_of))
        return [] if twice else [event]

    try:
        events = desk.ledger.append(build, writer=desk.writer, now=desk.now)
    except OperatorError as error:
        raise NotRecordedError(error.doing, error.wrong, hint=error.hint) from error
    desk.executor.forget(f"{plan.run}/rehearsal")
    return fold(events) if events else None


def _still_as_public(desk: Desk, request: Request) -> None:
    """Somebody may have made the issue confidential while the rehearsal ran: what is committed stays for ever."""
    desk.forge.issues()  # asks for what has changed since
    if desk.forge.thread(request.comment.issue).issue.confidential and not request.confidential:
        wrong = "the issue was made confidential while its plan was being made"
        raise RequestError("making the plan", wrong, hint="ask again in a new comment")


def _drafted(desk: Desk, request: Request) -> tuple[Runbook, Plan]:
    """What is asked for, before it was rehearsed."""
    if request.revert_of:
        return reverts.drafted(desk, request, terms=_terms(desk))
    runbook = find(desk, request)
    values = runbook.parameters.values(request.parameters)
    return runbook, draft(runbook, values, asked=request.comment, key=request.key, terms=_terms(desk))


def find(desk: Desk, request: Request) -> Runbook:
    """The runbook that is asked for, at the protected branch's newest commit, and fit to be planned.

    Raises:
        RequestError: if there is none of that name, or lint has an error against it.
    """
    runbook = catalog.find(desk.workspace.objects, request.runbook, commit=desk.workspace.main)
    errors = [finding for finding in lint(runbook) if finding.severity is Severity.ERROR]
    if errors:
        wrong = "; ".join(f"{one.rule}: {one.message}" for one in errors)
        raise RequestError(f"planning {runbook.name}", wrong, hint=f"see: runbook lint {runbook.path}")
    return runbook


def plan_files(desk: Desk, plan: Plan) -> Mapping[str, bytes]:
    """The files that the rehearsal left for the run: exactly those bytes, or none at all.

    Raises:
        RequestError: if one is lost or altered: then only a new plan helps.
    """
    found = {}
    for file in plan.files:
        path = desk.workspace.state / "plan-files" / plan.run / file.name
        data = path.read_bytes() if path.is_file() else b""
        if sha256(data) != file.sha256:
            wrong = f"{file.name}, which the rehearsal left for the run, is not on this machine as it was"
            raise RequestError(f"starting {plan.run}", wrong, hint="ask again in a new comment for a new plan")
        found[PREFIX + file.name] = data
    return found


def _terms(desk: Desk) -> Terms:
    return Terms(
        settings=desk.workspace.settings,
        policy_commit=desk.workspace.main,
        isolation="none",
        toolkit=toolkit_copy.digest(toolkit_copy.files()),
        life=desk.policy.plan_expires,
        nonce=secrets.token_hex(16),
        now=desk.now(),
    )


def _isolated(desk: Desk, plan: Plan) -> Plan:
    """The plan with the least isolation that policy accepts for all its targets, and the executor."""
    least = desk.policy.least_isolation(runbook=plan.runbook.name, risk=plan.risk, targets=plan.targets)
    return msgspec.structs.replace(plan, isolation=max(least, desk.executor.isolation, key=ISOLATION.__getitem__))


def _can_be_done(desk: Desk, plan: Plan) -> None:
    """What the executor cannot do is said now, and not when people have approved it."""
    wrong = desk.executor.refuses(targets=plan.targets, questions=bool(plan.questions))
    if wrong:
        hint = "see the executor's limits in the README, or have the project use another one"
        raise RequestError(f"planning {plan.runbook.name} for executor {desk.executor.name}", wrong, hint=hint)


def _nothing_leaks(request: Request) -> None:
    """People paste secrets into issues; what is committed is kept for ever, so such a request is not taken further."""
    found = leaks.findings(request.comment.body)
    if found:
        rules = ", ".join(sorted({one.rule for one in found}))
        hint = "take it as leaked: replace it, delete the comment, and name the secret in the header instead"
        raise RequestError("reading the request", f"it holds what looks like a secret ({rules})", hint=hint)


def _may_request(desk: Desk, plan: Plan) -> None:
    if desk.policy_problem:
        raise OperatorError("asking policy", desk.policy_problem, hint="correct it on the protected branch")
    person = PersonId(plan.requested.by)
    decision = may_request(
        desk.policy,
        runbook=plan.runbook.name,
        risk=plan.risk,
        targets=plan.targets,
        person=person,
        verified=plan.requested.verified,
        member=person in desk.members({person}, accounts=[(person, plan.requested.account)]),
        emergency=bool(plan.emergency),
    )
    if not decision.allowed:
        raise RequestError("asking policy", "; ".join(decision.reasons), hint="see `runbook policy` for who may")
    _somebody_answers(desk, plan)
    # The rehearsal gets these before anybody has approved: policy has to give them now, not only at the start.
    refused = secrets_refused(desk.policy, plan, names=plan.read_secrets)
    if refused:
        raise RequestError(
            "asking policy", "; ".join(refused), hint="have policy give it, or leave it out of the header"
        )


def _somebody_answers(desk: Desk, plan: Plan) -> None:
    """Whoever could answer has to be there before anything begins: a run must not wait for nobody."""
    people = answers.people(desk.policy, plan)
    reasons = answers.unanswerable(desk.policy, plan)
    if plan.questions and people and not desk.members(people):
        asked = plan.questions[0]
        reasons = [f"it asks before {asked.step} ({asked.text}), and of those who may answer nobody is a member"]
    if reasons:
        hint = "have policy name who may: answer = [...] in the rule, or leave the question out"
        raise RequestError("asking policy", "; ".join(reasons), hint=hint)


def _due(desk: Desk, plan: Plan) -> timedelta:
    """How soon an emergency's approvals have to be there: the strictest of the rules of its targets."""
    rules = desk.policy.rules_for(runbook=plan.runbook.name, risk=plan.risk, targets=plan.targets)
    return min(rule.emergency.due for rule in rules if rule.emergency)


def _rehearse(
    desk: Desk, runbook: Runbook, plan: Plan, *, watch: Callable[[Progress | None], None]
) -> tuple[Rehearsed, Mapping[str, bytes]]:
    """Execute what cannot change anything; what the worker left comes with it."""
    doing = f"rehearsing {plan.runbook.name}"
    if not any(cell.role in {Role.READ, Role.PLAN} for cell in runbook.cells):
        if plan.environment or plan.read_secrets:
            work = orders.preparation(desk, plan, notebook=runbook.content, change=False)
            preparing.prepare(desk, plan, work, doing=doing, again=preparing.ASK_AGAIN, watch=watch)
        return Rehearsed(result=Rehearsal.NOTHING, notebook=None, fingerprint=None, outputs={}), {}
    work = orders.rehearsal(desk, plan, notebook=runbook.content)
    left = preparing.carried_out(desk, plan, work, doing=doing, watch=watch)
    outcome = parse(Outcome, left["outcome.json"])
    preparing.check(outcome, doing=doing, again=preparing.ASK_AGAIN)
    ok = outcome.status is Status.SUCCEEDED and not outcome.withheld
    return Rehearsed(
        result=Rehearsal.OK if ok else Rehearsal.FAILED,
        notebook=outcome.notebook,
        fingerprint=outcome.fingerprint,
        outputs=outcome.plan_outputs,
        message=outcome.message,
    ), left


def _saved(left: Mapping[str, bytes]) -> tuple[SavedFile, ...]:
    """The files that the rehearsal left for the run, by digest."""
    return tuple(
        SavedFile(name=name.removeprefix(PREFIX), sha256=sha256(data), size=len(data))
        for name, data in sorted(left.items())
        if name.startswith(PREFIX)
    )


def _keep(desk: Desk, plan: Plan, left: Mapping[str, bytes]) -> None:
    """Keep those files on this machine only: they may hold secrets."""
    folder = desk.workspace.state / "plan-files" / plan.run
    for name, data in left.items():
        if name.startswith(PREFIX):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = folder / name.removeprefix(PREFIX)
            file.touch(mode=0o600)
            file.write_bytes(data)
