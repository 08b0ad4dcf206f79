"""Work orders: built from a plan, signed by this machine, and handed over with the files that they name."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from runner.digest import Digest, canonical, sha256
from runner.errors import IntegrityError
from runner.execution import environments, proposing
from runner.execution.kind import kind_of
from runner.execution.needs import LOCK
from runner.execution.order import ACTING, NOTHING, PAYLOAD_TYPE, Carried, Mode, Order
from runner.execution.sandbox import Limits
from runner.ledger.bodies import Start
from runner.ledger.envelope import make_envelope
from runner.ledger.event import Event
from runner.ledger.merged import Merged
from runner.plan.plan import Plan
from runner.ports.executor import Work
from runner.supervisor import tree
from runner.supervisor.desk import Desk

REHEARSAL, PREPARATION = "rehearsal", "preparation"
"""How the executor calls a run's rehearsal, and its making ready, behind the run's id."""
SETTLING = 300.0
"""Seconds that a worker has besides, to begin and to seal."""
PASSING = frozenset({REHEARSAL, PREPARATION})
"""Work that nobody waits for but the supervisor that ordered it."""


def rehearsal(desk: Desk, plan: Plan, *, notebook: bytes) -> Work:
    """The order to execute only what cannot change anything, with the read secrets only."""
    order = _order(plan, mode=Mode.REHEARSE, digest=None, start=None, repository="")
    order, given = _given(desk, plan, order, base=desk.workspace.main)
    return _work(desk, plan, order, key=f"{plan.run}/{REHEARSAL}", notebook=notebook, files=given)


def preparation(desk: Desk, plan: Plan, *, notebook: bytes, change: bool) -> Work:
    """The order to get what a run needs and to execute nothing; `change` with the secrets to change with."""
    order = _order(plan, mode=Mode.PREPARE, digest=None, start=None, repository="")
    order = msgspec.structs.replace(order, change_secrets=plan.change_secrets if change else ())
    return _work(desk, plan, order, key=f"{plan.run}/{PREPARATION}", notebook=notebook, files={})


def attempt(
    desk: Desk,
    plan: Plan,
    *,
    digest: Digest,
    start: Event,
    files: Mapping[str, bytes],
    carried: Carried = NOTHING,
) -> Work:
    """The order to carry a started run out, with what it is given of what happened before it.

    Raises:
        IntegrityError: if the runbook at the plan's commit is not the one that was approved.
    """
    notebook = pinned(desk, plan)
    repository = str(desk.workspace.repository.path)
    mode = Mode.REVERT if plan.revert_of else Mode.RUN
    order = msgspec.structs.replace(
        _order(plan, mode=mode, digest=digest, start=start, repository=repository),
        done=dict(carried.done),
        records=dict(carried.records),
        moved_by_us=carried.moved_by_us,
        undo=carried.undo,
        restored=dict(carried.restored),
    )
    claim = start.body if isinstance(start.body, Start) else None
    order, given = _given(desk, plan, order, base=_base(plan), merged=claim.merged if claim else None)
    return _work(desk, plan, order, key=f"{plan.run}/{order.attempt}", notebook=notebook, files={**files, **given})


def by_break_glass(desk: Desk, plan: Plan) -> Work:
    """The order to run a plan that no start is on record for, because the remote is away."""
    order = msgspec.structs.replace(
        _order(plan, mode=Mode.RUN, digest=plan.digest, start=None, repository=""), attempt=1, break_glass=True
    )
    return _work(desk, plan, order, key=f"{plan.run}/{order.attempt}", notebook=pinned(desk, plan), files={})


def _base(plan: Plan) -> str:
    """The commit on which a plan's proposal was made."""
    return plan.proposal.base if plan.proposal else plan.runbook.commit


def _given(
    desk: Desk, plan: Plan, order: Order, *, base: str, merged: Merged | None = None
) -> tuple[Order, dict[str, bytes]]:
    """The order with the files in Git that its header opens: as the plan has them, and as they were merged."""
    if not plan.proposes:
        return order, {}
    files = {proposing.PRESENT: tree.packed(desk.workspace.objects, base, plan.proposes)}
    if merged is not None:
        files[proposing.MERGED] = tree.packed(desk.workspace.objects, merged.commit, plan.proposes)
    digests = {name: sha256(data) for name, data in files.items()}
    order = msgspec.structs.replace(
        order, present=digests[proposing.PRESENT], merged=digests.get(proposing.MERGED), proposes=plan.proposes
    )
    return order, files


def pinned(desk: Desk, plan: Plan) -> bytes:
    """The runbook of a plan, from its commit.

    Raises:
        IntegrityError: if it is not the one that was approved.
    """
    return _file(desk, plan, plan.runbook.path, digest=plan.runbook.sha256, what="runbook")


def _file(desk: Desk, plan: Plan, path: str, *, digest: Digest, what: str) -> bytes:
    data = desk.workspace.objects.read(plan.runbook.commit, path)
    if data is None or sha256(data) != digest:
        wrong = f"{path} at {plan.runbook.commit[:12]} is not the {what} of the plan"
        raise IntegrityError(f"ordering run {plan.run}", wrong)
    return data


def _order(plan: Plan, *, mode: Mode, digest: Digest | None, start: Event | None, repository: str) -> Order:
    claim = start.body if start and isinstance(start.body, Start) else None
    return Order(
        mode=mode,
        run=plan.run,
        attempt=claim.attempt if claim else 0,
        plan_digest=digest,
        start=start.seq if start else None,
        nonce=claim.nonce if claim else plan.nonce,
        repository=repository,
        notebook=plan.runbook.sha256,
        injected=plan.injected,
        parameters={name: one.value for name, one in plan.parameters.items()},
        read_secrets=plan.read_secrets,
        change_secrets=plan.change_secrets if mode in ACTING else (),
        network=plan.network,
        # A rehearsal looks at what the run would change, and cannot change it.
        read=plan.read if mode in ACTING else (*plan.read, *plan.write),
        processes=plan.processes,
        write=plan.write if mode in ACTING else (),
        timeout=plan.timeout,
        cell_timeout=plan.cell_timeout,
        toolkit=plan.toolkit,
        isolation=plan.isolation,
        fingerprint=plan.rehearsal.fingerprint,
        plan_outputs=plan.rehearsal.outputs,
        files={file.name: file.sha256 for file in plan.files},
        environment_lock=plan.environment.sha256 if plan.environment else None,
        environment={
            "RUNBOOK_RUN_ID": plan.run,
            "RUNBOOK_MODE": mode.value,
            "RUNBOOK_PROPOSES": json.dumps(plan.proposes),
            **({"RUNBOOK_FENCE": str(start.seq)} if start else {}),
        },
    )


def _work(desk: Desk, plan: Plan, order: Order, *, key: str, notebook: bytes, files: Mapping[str, bytes]) -> Work:
    settings = desk.workspace.settings
    limits = Limits(
        memory=settings.kernel_memory,
        processes=settings.kernel_processes,
        open_files=settings.kernel_open_files,
        file_size=settings.kernel_file_size,
    )
    order = msgspec.structs.replace(order, limits=limits)
    signed = make_envelope(canonical(order), payload_type=PAYLOAD_TYPE, signer=desk.writer.signer)
    keys = "\n".join(sorted(desk.ledger.state.keys)) + "\n"
    inside = {"order.dsse.json": signed, "runbook.ipynb": notebook, "trusted_keys": keys.encode(), **files}
    if plan.environment:
        lock = _file(desk, plan, plan.environment.path, digest=plan.environment.sha256, what="lock file")
        inside[LOCK] = lock
    locks = plan.locks if order.mode in ACTING else ()
    return Work(
        key=key, files=inside, kind=kind_of(order), targets=plan.targets, locks=locks, seconds=_seconds(plan, order)
    )


def _seconds(plan: Plan, order: Order) -> float:
    """How long a worker may be at it altogether: to build what the cells need, the cells, and what undoes them."""
    building = 2 * environments.TIMEOUT if plan.environment else 0.0
    return building + plan.timeout * (2 if order.mode in ACTING else 1) + SETTLING
