"""What came back from a worker that is not on this machine: a claim, held against the order before it is believed.

Nobody but the supervisor signs, so what a job brings is only as good as this: the outcome is well formed and agrees
with itself, every file is there by its digest, the notebook is the one that was sent with outputs in it, and a success
is one by the runner's own rules. That a job which lies consistently did what it says cannot be seen from here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from runner.approval.rules import ISOLATION
from runner.digest import Digest, Json, parse, readable, sha256
from runner.errors import IntegrityError, RequestError
from runner.execution import executed, outcomes, phases, scan
from runner.execution.order import ACTING, Mode, Order
from runner.execution.outcome import ExitReason, Fate, Outcome, began
from runner.execution.proposing import PROPOSAL
from runner.execution.redact import Masker
from runner.ledger.bodies import Status
from runner.ledger.envelope import unchecked_payload
from runner.runbook import cells as notebook_cells
from runner.runbook.cells import Role

DOING = "checking what came back"
_UNDOING = "rollback"
"""The phase in which a run undoes its changes; a revert undoes an earlier run's, and goes forward."""
ORDER, NOTEBOOK = "order.dsse.json", "runbook.ipynb"


def check(sent: Mapping[str, bytes], files: Mapping[str, bytes]) -> None:
    """See whether files can be what an order led to.

    Args:
        sent: the order and what went with it, as this machine has them.
        files: what came back.

    Raises:
        IntegrityError: with the first thing that cannot be.
    """
    try:
        # Our own copy: what is in it was signed here.
        order = parse(Order, unchecked_payload(sent[ORDER]))
        outcome = parse(Outcome, files[outcomes.OUTCOME])
    except (KeyError, msgspec.MsgspecError) as error:
        raise IntegrityError(DOING, f"there is no outcome in it ({type(error).__name__})") from error
    wrong = next(_wrong(order, sent[NOTEBOOK], outcome, files=files), "")
    if wrong:
        raise IntegrityError(DOING, wrong)


def _wrong(order: Order, notebook: bytes, outcome: Outcome, *, files: Mapping[str, bytes]) -> Iterator[str]:
    yield from _files(order, outcome, files)
    yield from _itself(outcome)
    yield from _notebook(order, notebook, outcome, saved=files[outcomes.EXECUTED])
    yield from _cells(order, notebook, outcome)
    if outcome.status is Status.SUCCEEDED:
        yield from _success(order, outcome)
    hits = scan.gate(files, masker=Masker({}), public=f"{notebook.decode('utf-8', 'replace')}\n{order.injected}")
    if hits:
        yield f"what looks like a secret is in {', '.join(sorted(hits))}"


def _files(order: Order, outcome: Outcome, files: Mapping[str, bytes]) -> Iterator[str]:
    """Exactly the files that the outcome names, each by its digest, and what a rehearsal proposes."""
    named: dict[str, Digest] = {outcomes.EXECUTED: outcome.notebook}
    named |= {one.path: one.sha256 for one in outcome.artifacts}
    proposal = {PROPOSAL} & files.keys() if order.mode is Mode.REHEARSE and order.proposes else set()
    if files.keys() != {outcomes.OUTCOME, *named, *proposal}:
        yield "its files are not those that the outcome names"
        return
    for name, digest in named.items():
        if sha256(files[name]) != digest:
            yield f"{name} is not the file that the outcome names"
    for one in outcome.artifacts:
        if not one.path.startswith("artifacts/") or one.sha256 not in one.path or one.size != len(files[one.path]):
            yield f"{one.path} is not called, or not as large, as the outcome says"


def _itself(outcome: Outcome) -> Iterator[str]:
    """Status and reason say the same, and times are times."""
    if outcomes.status(outcome.exit_reason) is not outcome.status or outcome.schema != 1:
        yield f"it says {outcome.status.value} and ended with {outcome.exit_reason.value}"
    try:
        times = [datetime.fromisoformat(text) for text in (outcome.started_at, outcome.finished_at)]
    except ValueError:
        yield "its times are no times"
    else:
        if any(one.tzinfo is None for one in times) or outcome.seconds < 0:
            yield "its times are no times"
    if outcome.answers:
        yield "it was given answers that nobody sent"


def _notebook(order: Order, notebook: bytes, outcome: Outcome, *, saved: bytes) -> Iterator[str]:
    """The runbook that was sent, cell by cell, with the injected cell and outputs; empty where nothing ran."""
    found = _sources(saved)
    if found == [] and not outcome.cells:
        return
    if found is None or found != _sources(executed.notebook(notebook, injected=order.injected, shown={})):
        yield "its notebook is not the one that was sent"


def _sources(data: bytes) -> list[tuple[Json, Json, str]] | None:
    try:
        found = json.loads(data)["cells"]
        return [(one["cell_type"], one["id"], "".join(one["source"])) for one in found]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _cells(order: Order, notebook: bytes, outcome: Outcome) -> Iterator[str]:
    """Only cells that this order may execute; of a success all of them that it has to, each answered ok."""
    if any(cell.fate is Fate.RUNNING for cell in outcome.cells):
        yield "a cell of it still runs"
    if any(map(began, outcome.cells)) and ISOLATION.get(outcome.isolation, -1) < ISOLATION[order.isolation]:
        yield f"its cells ran with less isolation than {order.isolation}: {outcome.isolation}"
    due, spare = _steps(order, notebook)
    if {cell.id for cell in outcome.cells} - due - spare:
        yield "it tells of a cell that the order does not execute"
    if outcome.status is not Status.SUCCEEDED:
        return
    fates = {cell.id: cell.fate for cell in outcome.cells if cell.phase != _UNDOING}
    if any(fates.get(one) not in {Fate.OK, Fate.SKIPPED} for one in due) or not due <= fates.keys():
        yield "it succeeded, and not every cell was answered ok"
    if any(began(cell) for cell in outcome.cells if cell.phase == _UNDOING):
        yield "it succeeded, and undid something"


def _steps(order: Order, notebook: bytes) -> tuple[set[str], set[str]]:
    """The ids of the cells that an order executes if all goes well, and of those that it may execute besides."""
    if order.mode is Mode.PREPARE:
        return set(), set()
    try:
        found = notebook_cells.read(json.loads(notebook))
    except (RequestError, ValueError) as error:
        raise IntegrityError(DOING, "the notebook that was sent cannot be read") from error
    forward = phases.forward(found, mode=order.mode, undo=order.undo)
    always = phases.always(found) if order.mode in ACTING else ()
    due = {one.id for one in (*phases.prelude(found, injected=order.injected), *forward, *always)}
    return due, {cell.id for cell in found if cell.role is Role.ROLLBACK and order.mode is Mode.RUN}


def _success(order: Order, outcome: Outcome) -> Iterator[str]:
    """What a run changed, it changed where the state was still the one of the plan."""
    compared = order.mode is Mode.RUN and order.fingerprint and not order.moved_by_us
    if compared and (outcome.fingerprint != order.fingerprint or outcome.moved):
        yield "it succeeded, and the state is not the one of the plan"


def nothing(sent: Mapping[str, bytes], message: str, *, cancelled: bool, now: datetime) -> dict[str, bytes]:
    """Make the files of an order that nobody began: cancelled, or failed, and the notebook as it was sent."""
    order = parse(Order, unchecked_payload(sent[ORDER]))
    outcome, _ = outcomes.refused(f"nothing was executed: {message}", now=now)
    outcome, saved = outcomes.as_sent(outcome, sent[NOTEBOOK], injected=order.injected)
    if cancelled:
        outcome = msgspec.structs.replace(outcome, status=Status.CANCELLED, exit_reason=ExitReason.CANCELLED)
    return {outcomes.OUTCOME: readable(outcome), outcomes.EXECUTED: saved}
