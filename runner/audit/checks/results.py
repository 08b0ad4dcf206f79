"""I19 and I21: what is said of an attempt is what happened to its cells, and every place says the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.approval.rules import ISOLATION
from runner.audit import notebook
from runner.audit.book import Seen, Told
from runner.audit.checks.check import Check
from runner.audit.finding import Violation
from runner.audit.page import inside
from runner.digest import Json, sha256
from runner.errors import RequestError
from runner.evidence import layout
from runner.evidence.manifest import Cancelled, Manifest, cancelled
from runner.execution import phases
from runner.execution.facts import facts
from runner.execution.order import Mode
from runner.execution.outcome import CellFate, ExitReason, Fate, done_before
from runner.ledger.bodies import Approve, Finish, Halt, Late, Start, Status, Unhalt
from runner.ledger.event import Event
from runner.plan.plan import Plan
from runner.runbook import cells
from runner.runbook.condition import Condition, Facts, UndecidableError, holds

_TRAILER = re.compile(r"([A-Za-z][A-Za-z-]*): (.*)")
_OWN = re.compile(r"Runbook-[A-Za-z-]+|Requested-By|Approved-By")


class Truthful(Check):
    """`succeeded` means that every cell that should have run was answered ok."""

    number = "I19"
    title = "succeeded means that every cell was answered ok or left out by its condition, and shows no error"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) every condition, and of a success (2) the reason, (3) every fate, (4) every cell, (5) no error shown."""
        if seen.end is None or seen.manifest is None:
            return
        file = seen.manifest_file.path if seen.manifest_file else ""
        yield from self._conditions(seen, seen.manifest, file=file)
        if seen.end.outcome is Status.SUCCEEDED:
            yield from self._success(seen, seen.end, seen.manifest, file=file)

    def _success(self, seen: Seen, end: Finish | Late, manifest: Manifest, *, file: str) -> Iterator[Violation]:
        if end.exit_reason != ExitReason.ALL_CELLS_RAN.value:
            yield self.broken(seen, f"it succeeded and ended with {end.exit_reason}")
        fates = {cell.id: cell.fate for cell in manifest.result.cells if cell.phase != "rollback"}
        for name, fate in fates.items():
            if fate not in {Fate.OK, Fate.SKIPPED} and name not in self._spare(seen):
                yield self.broken(seen, f"the attempt succeeded, and this cell is {fate.value}", file=file, cell=name)
        if seen.executed is None or seen.executed.data is None:
            return
        for step in _steps(seen.executed.data, self._plan(seen)):
            if fates.get(step.id) not in {Fate.OK, Fate.SKIPPED}:
                wrong = "the attempt succeeded, and there is no record that this cell was answered ok"
                yield self.broken(seen, wrong, file=file, cell=step.id)
        for cell in notebook.cells(seen.executed.data) or ():
            if any(output.output_type == "error" for output in cell.outputs):
                yield self.broken(seen, "the attempt succeeded, and this cell shows an error", cell=cell.id)

    def _conditions(self, seen: Seen, manifest: Manifest, *, file: str) -> Iterator[Violation]:
        """A cell was skipped exactly where its condition, decided once more, says so."""
        data = seen.executed.data if seen.executed else None
        steps = {step.id: step for step in _steps(data, self._plan(seen))} if data is not None else {}
        for cell in manifest.result.cells:
            # What was recorded is masked in the manifest, so what depends on it is taken as it is told.
            known = facts(manifest.result.cells, values=_values(manifest, cell), records=None)
            step = steps.get(cell.id)
            wrong = _against_condition(cell, step.when if step else None, known=known) if data is not None else ""
            if wrong and cell.phase in {"forward", "always"}:
                yield self.broken(seen, wrong, file=file, cell=cell.id)

    def _plan(self, seen: Seen) -> Plan | None:
        return seen.told.plan if seen.told else None

    def _spare(self, seen: Seen) -> frozenset[str]:
        """Cells that a run that succeeds does not execute: what would have undone it."""
        if seen.manifest is None:
            return frozenset()
        return frozenset(cell.id for cell in seen.manifest.result.cells if cell.role == cells.Role.ROLLBACK.value)


class Agreeing(Check):
    """`git log`, the manifest and the signed event tell one story."""

    number = "I21"
    title = "commit trailers and manifest agree with the event"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) trailers, (2) the manifest against the event, (3) against the plan, (4) against the files."""
        if seen.event is None:
            return
        if seen.page.commit:
            yield from self._trailers(seen, seen.event, seen.page.commit.message)
        if seen.end is None:
            return
        if seen.manifest_file is None:
            yield self.broken(seen, "the attempt has no manifest")
            return
        if seen.manifest is None or seen.told is None:
            return
        if seen.manifest_file.sha256 != seen.end.manifest:
            yield self.broken(seen, "it is not the manifest that the event names", file=seen.manifest_file.path)
        expected = _expected_manifest(seen.manifest, seen.end, seen.told)
        for what, (stored, signed) in expected.items():
            if stored != signed:
                wrong = f"{what}: the manifest has {_short(stored)}, the record {_short(signed)}"
                yield self.broken(seen, wrong, file=seen.manifest_file.path)
        yield from self._files(seen, seen.manifest, seen.told)

    def _trailers(self, seen: Seen, event: Event, message: str) -> Iterator[Violation]:
        found = _trailers(message)
        for name, allowed in _expected_trailers(event, seen.told).items():
            values = found.pop(name, ())
            if set(values) != set(allowed) and not (name == "Approved-By" and not values and not seen.end):
                yield self.broken(seen, f"trailer {name}: {_short(values)}, the record {_short(allowed)}")
        for name in found if seen.told or event.run is None else ():
            yield self.broken(seen, f"trailer {name}: {_short(found[name])}, the record has none")

    def _files(self, seen: Seen, manifest: Manifest, told: Told) -> Iterator[Violation]:
        folder = layout.run_folder(told.run.id)
        attempt = told.run.attempt
        apart = {layout.manifest_file(told.run.id, attempt), layout.summary_file(told.run.id, attempt)}
        stored = {inside(one.path): one.sha256 for one in seen.page.others if one.path not in apart}
        listed = {inside(f"{folder}{one.path}"): one.sha256 for one in manifest.files}
        for name in sorted(stored.keys() | listed.keys()):
            if stored.get(name) != listed.get(name):
                yield self.broken(seen, "the manifest has another digest of it, or none", file=name)


def _values(manifest: Manifest, cell: CellFate) -> dict[str, Json]:
    """The parameters as they were when a cell came: what was answered before it is their value."""
    last = cell.phase == "always"
    answered = {
        one.parameter: one.value
        for one in manifest.result.answers
        if one.parameter and (last or one.index < cell.index)
    }
    return {name: one.value for name, one in manifest.parameters.items()} | answered


def _against_condition(cell: CellFate, when: Condition | None, *, known: Facts) -> str:
    """What is wrong with a cell having run or not, by its condition; empty if nothing is."""
    if cell.fate is Fate.NOT_RUN or done_before(cell):  # whether it was done before, I8 says
        return ""
    skipped = cell.fate is Fate.SKIPPED
    if when is None:
        return "it was skipped, and it has no condition" if skipped else ""
    try:
        wanted = holds(when, known)
    except UndecidableError as error:
        return f"its condition has no answer: {error}"
    if wanted is None or wanted is not skipped:
        return ""
    return f"it {'was skipped' if skipped else 'ran'}, and its condition says otherwise: {when.text}"


def _steps(data: bytes, plan: Plan | None) -> tuple[phases.Step, ...]:
    """The cells that a run, or a revert, that succeeds has to execute, by the runner's own rule."""
    whole = notebook.whole(data)
    try:
        found = cells.read(whole) if whole else ()
    except RequestError:
        return ()
    mode, undo = (Mode.REVERT, plan.undoes.changes) if plan and plan.undoes else (Mode.RUN, ())
    forward = phases.forward(found, mode=mode, undo=undo)
    return (*phases.prelude(found, injected=plan.injected if plan else ""), *forward, *phases.always(found))


def _trailers(message: str) -> dict[str, tuple[str, ...]]:
    """Our trailers in the last paragraph, as `git interpret-trailers` finds them."""
    found: dict[str, tuple[str, ...]] = {}
    for line in message.rstrip("\n").split("\n\n")[-1].split("\n"):
        match = _TRAILER.fullmatch(line)
        if match and _OWN.fullmatch(match[1]):
            found[match[1]] = (*found.get(match[1], ()), match[2].strip())
    return found


def _expected_trailers(event: Event, told: Told | None) -> dict[str, tuple[str, ...]]:
    expected: dict[str, tuple[str, ...]] = {"Runbook-Event": (str(event.seq),), "Runbook-Type": (event.type,)}
    if event.run:
        expected["Runbook-Run"] = (event.run,)
    if isinstance(event.body, Finish | Late):
        expected["Runbook-Outcome"] = (event.body.outcome.value,)
    if isinstance(event.body, Halt | Unhalt):
        expected |= {"Runbook-Issue": (_line(event.body.issue),), "Requested-By": (_line(event.body.said.by),)}
    if told:
        expected |= {
            "Runbook-Name": (_line(told.run.plan.runbook),),
            "Runbook-Plan": (f"sha256:{told.run.digest}",),
            "Runbook-Issue": (_line(told.run.plan.issue),),
            "Requested-By": (_line(told.run.plan.said.by),),
        }
        people = _approvers(told)
        if people:
            expected["Approved-By"] = people
    if told and told.run.plan.revert_of:
        expected["Runbook-Revert-Of"] = (told.run.plan.revert_of,)
    if told and told.plan:
        expected["Runbook-Target"] = (_line(", ".join(told.plan.targets)),)
    return expected


def _approvers(told: Told) -> tuple[str, ...]:
    start = told.run.start.body if told.run.start else None
    numbers = start.approvals if isinstance(start, Start) else tuple(event.seq for event in told.run.approvals)
    bodies = [event.body for event in told.approvals(numbers)]
    return tuple(_line(body.said.by) for body in bodies if isinstance(body, Approve))


def _expected_manifest(manifest: Manifest, body: Finish | Late, told: Told) -> dict[str, tuple[object, object]]:
    """What the manifest says, beside what the record says, in words."""
    result, start = manifest.result, told.run.start
    started = start.body if start and isinstance(start.body, Start) else None
    pairs: dict[str, tuple[object, object]] = {
        "run": (manifest.run, told.run.id),
        "attempt": (manifest.attempt, told.run.attempt),
        "plan digest": (manifest.plan_digest, told.run.digest),
        "outcome": (result.outcome, body.outcome),
        "rollback": (result.rollback, body.rollback),
        "exit reason": (result.exit_reason, body.exit_reason),
        "message": (result.message, body.message),
        "seconds": (manifest.execution.seconds, body.seconds),
        "start": (manifest.execution.start_event, body.start),
        "owner": (manifest.execution.owner, started.owner if started else None),
        "approvals": (tuple(one.event for one in manifest.approvals), started.approvals if started else ()),
        "approvers": (tuple(_line(one.by) for one in manifest.approvals), _approvers(told)),
        "attempt before": (manifest.previous, told.earlier.previous),
        "cancelled": (result.cancelled, _cancelled(body, told)),
    }
    return pairs | (_against_plan(manifest, told.plan) if told.plan else {})


def _cancelled(body: Finish | Late, told: Told) -> Cancelled | None:
    return cancelled(told.run.cancel) if body.outcome is Status.CANCELLED else None


def _against_plan(manifest: Manifest, plan: Plan) -> dict[str, tuple[object, object]]:
    environment = manifest.execution.environment
    lock = environment.lock if environment else None
    # Where no cell ran, the environment may never have been there.
    ran = any(cell.fate is not Fate.NOT_RUN for cell in manifest.result.cells)
    locks = {"lock file": (lock, plan.environment.sha256 if plan.environment else None)} if ran or lock else {}
    reached, least = manifest.execution.isolation, plan.isolation
    weaker = ran and ISOLATION.get(reached, -1) < ISOLATION.get(least, 0)
    isolations = {"isolation": (reached, f"at least {least}")} if weaker else {}
    return (
        locks
        | isolations
        | {
            "title": (manifest.title, plan.title),
            "risk": (manifest.risk, plan.risk),
            "runbook": (manifest.runbook, plan.runbook),
            "parameters": (manifest.parameters, plan.parameters),
            "request": (manifest.request, plan.requested),
            "targets": (manifest.execution.targets, plan.targets),
            "reverts": (manifest.reverts, plan.revert_of),
        }
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= 80 else f"{text[:60]}... ({sha256(text.encode())[:12]})"  # noqa: PLR2004 - one line of text
