"""Break-glass: running something while the remote is away, and keeping what has to be owned up to afterwards.

There is no local ledger: a chain that others cannot see proves nothing, and two chains would have to be merged. What is
kept is the signed request and the exact plan, durable before anything runs, and the worker's sealed spool. `owning_up`
makes events of them once the remote answers.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from runner.approval.glass import may_break_glass
from runner.digest import Digest, Json, Wire, canonical, parse, sha256
from runner.errors import ApprovalError, IntegrityError, OperatorError, OutsideError, RequestError
from runner.execution import toolkit_copy
from runner.execution.outcome import Outcome
from runner.execution.progress import Progress
from runner.ledger.bodies import Said
from runner.plan.draft import Terms, draft
from runner.plan.plan import Plan
from runner.plan.plan import read as read_plan
from runner.ports.forge import Comment, CommentId, IssueId, PersonId
from runner.repository.people import allowed_signers
from runner.runbook import catalog, leaks
from runner.runbook.finding import Severity
from runner.runbook.lint import lint
from runner.snapshot import Glass
from runner.supervisor import orders, preparing
from runner.supervisor.desk import Desk
from runner.wiring import SIGNERS, person_signer

NAMESPACE = "runbook-comment"
"""What people's keys sign with, as in comments."""
FOLDER = "glass"
DOING = "breaking the glass"


class Kept(Wire):
    """One record: the plan's exact bytes, the words that were signed, and the signature."""

    plan: str
    digest: Digest
    request: str
    said: Said


class Wish(Wire):
    """What a person asks for by break-glass: the words that are signed, bound to one run of one project."""

    project: str
    run: str
    runbook: str
    parameters: dict[str, Json]
    break_glass: str


def key(plan: Plan) -> str:
    """How the executor calls the one attempt of a plan."""
    return f"{plan.run}/1"


def broke(desk: Desk, wish: Callable[[str], Wish], *, watch: Callable[[Progress | None], None]) -> Plan:
    """Run what a person wishes for, to its end, and leave the record of it for whoever owns up.

    Args:
        desk: opened while the remote is away.
        wish: says what is wished for, given the id of its run.
        watch: called again and again while it lasts.

    Raises:
        OperatorError: if the person has no key, or something is missing on this machine.
        ApprovalError: if the key is nobody's, or policy does not let its owner do this.
        RequestError: if what is asked for cannot be planned.
        OutsideError: if the worker did not end; what there is of it is owned up to all the same.
    """
    signer = person_signer(desk.workspace.repository)
    if signer is None:
        hint = "set one up with: git config gpg.format ssh && git config user.signingkey ~/.ssh/id_ed25519.pub"
        raise OperatorError(DOING, "Git has no key of yours to sign with", hint=hint)
    people = allowed_signers(desk.workspace.text(SIGNERS) or "")
    holder = people.holder(signer.public_key, namespace=NAMESPACE)
    if holder is None:
        raise ApprovalError(DOING, f"your key is nobody's in {SIGNERS}, as it was last fetched")
    plan, request = _drafted(desk, wish, by=PersonId(holder.person))
    _allowed(desk, plan)
    if preparing.needed(plan):
        work = orders.preparation(desk, plan, notebook=orders.pinned(desk, plan), change=True)
        preparing.prepare(desk, plan, work, doing=DOING, again="ask again", watch=watch)
    signature = signer.sign_ssh(request, namespace=NAMESPACE)
    said = Said(
        by=plan.requested.by,
        comment=plan.requested.comment,
        verified=True,
        payload=b64encode(request).decode(),
        signature=b64encode(signature.encode()).decode(),
    )
    with _at_it(desk):
        _keep(desk, plan, Kept(plan=plan.to_bytes().decode(), digest=plan.digest, request=request.decode(), said=said))
        try:
            preparing.carried_out(desk, plan, orders.by_break_glass(desk, plan), doing=DOING, watch=watch)
        except OutsideError as error:
            hint = f"look at what {plan.run} has done; it is recorded by `runbook reconcile` when the remote answers"
            raise OutsideError(error.doing, error.wrong, hint=hint) from error
    return plan


def outcome(desk: Desk, plan: Plan) -> Outcome:
    """What its worker sealed."""
    return parse(Outcome, desk.executor.collect(key(plan))["outcome.json"])


def _drafted(desk: Desk, wish: Callable[[str], Wish], *, by: PersonId) -> tuple[Plan, bytes]:
    """The plan of it at the last known commit, and the words to sign; there is no rehearsal to wait for."""
    name = wish("").runbook
    runbook = catalog.find(desk.workspace.objects, name, commit=desk.workspace.main)
    errors = [finding for finding in lint(runbook) if finding.severity is Severity.ERROR]
    if errors:
        wrong = "; ".join(f"{one.rule}: {one.message}" for one in errors)
        raise RequestError(f"planning {runbook.name}", wrong, hint=f"see: runbook lint {runbook.path}")
    terms = Terms(
        settings=desk.workspace.settings,
        policy_commit=desk.workspace.main,
        isolation="none",
        toolkit=toolkit_copy.digest(toolkit_copy.files()),
        life=desk.policy.plan_expires,
        nonce=secrets.token_hex(16),
        now=desk.now(),
    )
    values = runbook.parameters.values(wish("").parameters)
    asked = Comment(
        id=CommentId(""), issue=IssueId(""), author=by, body="", created=terms.now, verified=True, edited=False
    )
    plan = draft(runbook, values, asked=asked, key="", terms=terms)
    request = msgspec.json.format(canonical(wish(plan.run)), indent=2) + b"\n"
    if leaks.findings(request.decode()):
        raise RequestError(DOING, "the request holds what looks like a secret", hint="name it in the header instead")
    requested = msgspec.structs.replace(
        plan.requested,
        comment=f"glass:{plan.run}",
        key=f"glass:{plan.project}:{plan.run}:1",
        text_sha256=sha256(request),
    )
    least = desk.policy.least_isolation(runbook=plan.runbook.name, risk=plan.risk, targets=plan.targets)
    why = wish("").break_glass
    return msgspec.structs.replace(plan, requested=requested, isolation=least, break_glass=why), request


def _allowed(desk: Desk, plan: Plan) -> None:
    if desk.policy_problem:
        raise OperatorError("asking policy", desk.policy_problem, hint="correct it on the protected branch")
    halted = desk.ledger.state.halted is not None
    decision = may_break_glass(desk.policy, plan=plan, member=True, now=desk.now(), halted=halted)
    if not decision.allowed:
        raise ApprovalError("asking policy", "; ".join(decision.reasons), hint="see `runbook policy` for who may")


@contextmanager
def _at_it(desk: Desk) -> Iterator[None]:
    """While somebody is at it, no supervisor of this machine takes a record for one that was left behind."""
    with _lock(desk).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _lock(desk: Desk) -> Path:
    folder = desk.workspace.state / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / "lock"


def _file(desk: Desk, plan: Plan) -> Path:
    return desk.workspace.state / FOLDER / f"{plan.run}.json"


def _keep(desk: Desk, plan: Plan, kept: Kept) -> None:
    """Make the record durable: nothing may run that nobody would own up to."""
    file = _file(desk, plan)
    new = file.with_suffix(".new")
    try:
        new.touch(mode=0o600)
        with new.open("wb") as out:
            out.write(canonical(kept))
            out.flush()
            os.fsync(out.fileno())
        new.rename(file)
        handle = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        hint = "see disk space and rights of the state folder; nothing has run"
        raise OutsideError("keeping a record of break-glass", f"{error.strerror}", hint=hint) from error


def pending(desk: Desk) -> tuple[tuple[Glass, ...], tuple[str, ...]]:
    """What was run by break-glass and not owned up to yet, and in words what cannot be read of it."""
    folder = desk.workspace.state / FOLDER
    if not folder.is_dir() or not any(folder.glob("*.json")):
        return (), ()
    with _lock(desk).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return (), ("somebody is running something by break-glass on this machine; it is recorded after that",)
        found, trouble = [], []
        for file in sorted(folder.glob("*.json")):
            try:
                found.append(_read(desk, file))
            except (OSError, IntegrityError, msgspec.MsgspecError) as error:
                trouble.append(f"{file} cannot be owned up to, look at it: {error}")
    return tuple(found), tuple(trouble)


def _read(desk: Desk, file: Path) -> Glass:
    kept = parse(Kept, file.read_bytes())
    data = kept.plan.encode()
    plan = read_plan(data)
    if (sha256(data), sha256(kept.request.encode())) != (kept.digest, plan.requested.text_sha256):
        raise IntegrityError("reading a record of break-glass", "it is not as it was written")
    return Glass(plan=plan, request=kept.request, said=kept.said, work=desk.executor.state(key(plan)))


def remove(desk: Desk, plan: Plan) -> None:
    """Forget the record: the ledger has it."""
    _file(desk, plan).unlink(missing_ok=True)
