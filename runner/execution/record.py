"""The record of one attempt while it runs: every cell's fate, written through to the transcript, and why it stopped.

It is what the engine tells (`Listener`). It decides nothing about which cells come next.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from runner.digest import Json
from runner.execution.executed import Shown
from runner.execution.facts import facts
from runner.execution.fingerprint import kept, normaliser, text_of
from runner.execution.listener import Begin, Ended
from runner.execution.live import Live
from runner.execution.outcome import DONE_BEFORE, Answered, CellFate, ExitReason, Fate
from runner.execution.outputs import Kept
from runner.execution.phases import Step
from runner.execution.stopping import Cause, Stopping
from runner.execution.transcript import Asked, Line, Transcript
from runner.execution.tries import ITS_OWN, told
from runner.runbook.cells import Role
from runner.runbook.condition import UndecidableError, holds

FORWARD, ROLLBACK, ALWAYS, PROOF = "forward", "rollback", "always", "proof"
"""The phases of an attempt, as they stand in a cell's fate."""


class Record:
    """Keeps the record.

    Args:
        transcript: where it is made durable.
        kept: takes in outputs.
        stopping: knows why a cell has to stop.
        clock: monotonic seconds.
        cell_timeout: seconds for a cell that has no limit of its own; 0 for none.
        live: is told what cells show while they run.
        values: the run's parameters, which conditions ask for.
    """

    def __init__(
        self,
        transcript: Transcript,
        *,
        kept: Kept,
        stopping: Stopping,
        clock: Callable[[], float],
        cell_timeout: float,
        live: Live,
        values: Mapping[str, Json] | None = None,
    ) -> None:
        self._transcript, self._kept, self._stopping = transcript, kept, stopping
        self._live = live
        self.clock = clock
        self._began_at = clock()
        self._cell_timeout = cell_timeout
        self.values = dict(values or {})
        self.phase = FORWARD
        self.fates: dict[tuple[str, str], CellFate] = {}
        self.shown: dict[str, Shown] = {}
        self.endured: list[str] = []
        """Names of the steps that failed and whose author said that the run goes on."""
        self._before: tuple[dict[str, Json], ...] = ()
        self.plan_outputs: dict[str, str] = {}
        self.proof: dict[str, str] = {}
        """What the plan cells show after a revert; `plan_outputs` is what they showed before it."""
        self.begun_changes: list[int] = []
        self.answers: list[Answered] = []
        self.reason: ExitReason | None = None
        self.message = ""

    def open(
        self, *, nonce: str, injected: str, planned: Iterable[tuple[str, Step]], done: Mapping[str, int] | None = None
    ) -> None:
        """Write the opening, every cell that may run, and which of them were `done` in an earlier attempt."""
        self._transcript.append(Line(at=0.0, opened=nonce, injected=injected))
        earlier = done or {}
        for phase, step in planned:
            fate = _fate(step, phase=phase, fate=Fate.NOT_RUN)
            if phase == FORWARD and step.id in earlier:
                why = f"{DONE_BEFORE}{earlier[step.id]}"
                fate = msgspec.structs.replace(fate, fate=Fate.SKIPPED, why=why)
            self._note(fate, write=False)
        self._transcript.append_all(Line(at=0.0, cell=fate) for fate in self.fates.values())

    def timeout(self, step: Step) -> float | None:
        """The cell's own limit in seconds."""
        return step.timeout or self._cell_timeout or None

    def cause(self, step: Step, *, since: float | None) -> Cause | None:
        """Why the cell has to stop, or may not begin."""
        forward = self.phase == FORWARD
        if forward and self._transcript.full:
            return self.refused(Cause.NO_ROOM) if since is None else Cause.NO_ROOM
        if since is not None:
            return self._stopping.cause(since=since, timeout=self.timeout(step), forward=forward)
        cause = self._stopping.between(forward=forward)
        return self.refused(cause) if cause is not None else None

    def refused(self, cause: Cause) -> Cause:
        """Note why the next cell may not begin."""
        self.stop(*_WORDS[cause])
        return cause

    def begins(self, step: Step) -> Begin:
        """Say whether a cell may begin, and note it if its condition leaves it out."""
        if self.cause(step, since=None) is not None:
            return Begin.STOP
        if step.when is None:
            return Begin.GO
        known = facts(self.fates.values(), values=self.values, records=self._kept.raw_records)
        try:
            wanted = holds(step.when, known)
        except UndecidableError as error:
            self.stop(ExitReason.CELL_ERROR, f"{step.name}: its condition ({step.when.text}) has no answer: {error}")
            return Begin.STOP
        if wanted:
            return Begin.GO
        fate = _fate(step, phase=self.phase, fate=Fate.SKIPPED)
        self._note(msgspec.structs.replace(fate, why=f"its condition is not met: {step.when.text}"))
        return Begin.SKIP

    def began(self, step: Step, *, tried: int = 1) -> None:
        """Note, durably, that a cell is about to be sent, for the first time or again."""
        started = self.fates[self.phase, step.id].started if tried > 1 else self._now()
        if tried == 1:
            self._before = ()
            if step.role == Role.CHANGE.value:
                self.begun_changes.append(step.index)
        fate = _fate(step, phase=self.phase, fate=Fate.RUNNING, started=started)
        self._note(msgspec.structs.replace(fate, tries=tried))
        self._live.began(step, phase=self.phase)

    def shows(self, message: Mapping[str, Any]) -> None:
        """Let people see what the cell shows."""
        self._live.shows(message)

    def failed(self, step: Step, ended: Ended) -> None:
        """Note, durably, that a try failed and another one comes, with what it showed."""
        outputs, _ = self._kept.keep(ended.outputs, cell=step.index)
        fate = self._judged(step, ended)
        self._note(fate)
        shown = told(outputs, tried=ended.tried, of=step.retries + 1, error=fate.error)
        self._before = (*self._before, *shown)
        self._show(step, shown, count=ended.count)

    def ended(self, step: Step, ended: Ended) -> bool:
        """Note, durably, how a cell ended and what it showed; say whether later cells may run."""
        outputs, whole = self._kept.keep(ended.outputs, cell=step.index)
        fate = self._judged(step, ended)
        self._note(fate)
        self.shown.setdefault(step.id, Shown(outputs=(*self._before, *outputs), count=ended.count))
        self._show(step, outputs, count=ended.count)
        if step.role == Role.PLAN.value:
            seen = self.proof if self.phase == PROOF else self.plan_outputs
            seen[step.id] = kept(normaliser(step.normalise)(text_of(list(whole))))
        if ended.verdict.reason is None:
            return True
        if step.goes_on and self.phase == FORWARD and ended.alive and ended.verdict.reason in ITS_OWN:
            self.endured.append(step.id)
            self._transcript.append(Line(at=self._now(), said=f"{step.name} failed, and the run goes on as it says"))
            return True
        tries = f" (after {ended.tried} tries)" if ended.tried > 1 else ""
        self.stop(ended.verdict.reason, f"{step.name}{tries}: {fate.error}")
        return False

    def _judged(self, step: Step, ended: Ended) -> CellFate:
        self._live.ended()
        started = self.fates[self.phase, step.id].started or 0.0
        error = self._kept.masker.mask(ended.verdict.error, where=f"cell {step.index + 1}")
        fate = _fate(step, phase=self.phase, fate=ended.verdict.fate, started=started)
        seconds = round(self._now() - started, 3)
        return msgspec.structs.replace(fate, seconds=seconds, error=error, tries=ended.tried)

    def _show(self, step: Step, outputs: Iterable[dict[str, Json]], *, count: int | None) -> None:
        shown = Line(at=self._now(), outputs=list(outputs), of=step.id, phase=self.phase, count=count)
        self._transcript.append(shown)

    def conclude(self) -> None:
        """A step that failed keeps the attempt from succeeding, though the run went on after it."""
        if self.endured and self.reason is None:
            names = ", ".join(self.fates[FORWARD, one].name for one in self.endured)
            self.stop(ExitReason.STEP_FAILED, f"failed, and the run went on: {names}; nothing was rolled back for it")

    def asked(self, question: Asked) -> None:
        """Note, durably, what a person is asked; whoever supervises reads it there."""
        self._transcript.append(Line(at=self._now(), asked=question))

    def answered(self, answer: Answered) -> bool:
        """Note, durably, what was answered; False if that must not be kept."""
        if self._kept.masker.mask(answer.source, where="answer") != answer.source:
            self.stop(ExitReason.SECRET_UNAVAILABLE, "the answer holds the value of a secret")
            return False
        self.answers.append(answer)
        if answer.parameter:
            self.values[answer.parameter] = answer.value
        self._transcript.append(Line(at=self._now(), answered=answer))
        return True

    def stop(self, reason: ExitReason, message: str) -> None:
        """Note why the attempt does not succeed; the first reason is the one that counts."""
        masked = self._kept.masker.mask(message, where="message")
        if self.reason is None:
            self.reason, self.message = reason, masked
        self._transcript.append(Line(at=self._now(), said=f"{reason.value}: {masked}"))

    def broke(self, error: Exception) -> None:
        """Note that the worker itself failed: a cell that was running ended in a way that nobody knows."""
        for key, fate in self.fates.items():
            if fate.fate is Fate.RUNNING:
                self.fates[key] = msgspec.structs.replace(fate, fate=Fate.UNKNOWN, error="the worker failed")
        # The transcript may be what broke.
        with contextlib.suppress(OSError):
            self.stop(ExitReason.INTERNAL_ERROR, f"the worker failed: {type(error).__name__}: {error}")

    def passed(self, steps: Iterable[Step], *, phase: str) -> bool:
        """Say whether nothing about these keeps later cells from running: ok, skipped, or failed where that is said."""
        return all(self._passed(step, phase=phase) for step in steps)

    def _passed(self, step: Step, *, phase: str) -> bool:
        found = self.fates.get((phase, step.id))
        endured = phase == FORWARD and step.id in self.endured
        return found is not None and (found.fate in {Fate.OK, Fate.SKIPPED} or endured)

    def _now(self) -> float:
        return round(self.clock() - self._began_at, 3)

    def _note(self, fate: CellFate, *, write: bool = True) -> None:
        self.fates[fate.phase, fate.id] = fate
        if write:
            self._transcript.append(Line(at=self._now(), cell=fate))


_WORDS = {
    Cause.CELL_TIMEOUT: (ExitReason.CELL_TIMEOUT, "the cell's time was over"),
    Cause.RUN_TIMEOUT: (ExitReason.RUN_TIMEOUT, "the run's time was over"),
    Cause.CANCELLED: (ExitReason.CANCELLED, "cancelled"),
    Cause.HURRY: (ExitReason.CANCELLED, "cancelled, and asked again to end at once"),
    Cause.NO_ROOM: (ExitReason.INTERNAL_ERROR, "the disk is full"),
}


def _fate(step: Step, *, phase: str, fate: Fate, started: float | None = None) -> CellFate:
    return CellFate(
        index=step.index, id=step.id, role=step.role, name=step.name, phase=phase, fate=fate, started=started
    )
