"""The record of one attempt while it runs: every cell's fate, written through to the transcript, and why it stopped.

It is what the engine tells (`Listener`). It decides nothing about which cells come next.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

import msgspec

from runner.execution.executed import Shown
from runner.execution.fingerprint import kept, normaliser, text_of
from runner.execution.listener import Ended
from runner.execution.outcome import CellFate, ExitReason, Fate
from runner.execution.outputs import Kept
from runner.execution.phases import Step
from runner.execution.stopping import Cause, Stopping
from runner.execution.transcript import Line, Transcript
from runner.runbook.cells import Role

FORWARD, ROLLBACK, ALWAYS = "forward", "rollback", "always"
"""The phases of an attempt, as they stand in a cell's fate."""


class Record:
    """Keeps the record.

    Args:
        transcript: where it is made durable.
        kept: takes in outputs.
        stopping: knows why a cell has to stop.
        clock: monotonic seconds.
        cell_timeout: seconds for a cell that has no limit of its own; 0 for none.
    """

    def __init__(
        self, transcript: Transcript, *, kept: Kept, stopping: Stopping, clock: Callable[[], float], cell_timeout: float
    ) -> None:
        self._transcript, self._kept, self._stopping = transcript, kept, stopping
        self.clock = clock
        self._began_at = clock()
        self._cell_timeout = cell_timeout
        self.phase = FORWARD
        self.fates: dict[tuple[str, str], CellFate] = {}
        self.shown: dict[str, Shown] = {}
        self.plan_outputs: dict[str, str] = {}
        self.begun_changes: list[int] = []
        self.reason: ExitReason | None = None
        self.message = ""

    def open(self, *, nonce: str, injected: str, planned: Iterable[tuple[str, Step]]) -> None:
        """Write the opening and every cell that may run."""
        self._transcript.append(Line(at=0.0, opened=nonce, injected=injected))
        for phase, step in planned:
            self._note(_fate(step, phase=phase, fate=Fate.NOT_RUN), write=False)
        self._transcript.append_all(Line(at=0.0, cell=fate) for fate in self.fates.values())

    def timeout(self, step: Step) -> float | None:
        """The cell's own limit in seconds."""
        return step.timeout or self._cell_timeout or None

    def cause(self, step: Step, *, since: float | None) -> Cause | None:
        """Why the cell has to stop, or may not begin."""
        forward = self.phase == FORWARD
        if forward and self._transcript.full:
            return self._refused(Cause.NO_ROOM) if since is None else Cause.NO_ROOM
        if since is not None:
            return self._stopping.cause(since=since, timeout=self.timeout(step), forward=forward)
        cause = self._stopping.between(forward=forward)
        return self._refused(cause) if cause is not None else None

    def _refused(self, cause: Cause) -> Cause:
        self.stop(*_WORDS[cause])
        return cause

    def began(self, step: Step) -> None:
        """Note, durably, that a cell is about to be sent."""
        if step.role == Role.CHANGE.value:
            self.begun_changes.append(step.index)
        self._note(_fate(step, phase=self.phase, fate=Fate.RUNNING, started=self._now()))

    def ended(self, step: Step, ended: Ended) -> None:
        """Note, durably, how a cell ended and what it showed."""
        outputs, whole = self._kept.keep(ended.outputs, cell=step.index)
        started = self.fates[self.phase, step.id].started or 0.0
        now = self._now()
        error = self._kept.masker.mask(ended.verdict.error, where=f"cell {step.index + 1}")
        fate = _fate(step, phase=self.phase, fate=ended.verdict.fate, started=started)
        self._note(msgspec.structs.replace(fate, seconds=round(now - started, 3), error=error))
        self.shown.setdefault(step.id, Shown(outputs=outputs, count=ended.count))
        self._transcript.append(Line(at=now, outputs=list(outputs), of=step.id, count=ended.count))
        if step.role == Role.PLAN.value:
            self.plan_outputs[step.id] = kept(normaliser(step.normalise)(text_of(list(whole))))
        if ended.verdict.reason is not None:
            self.stop(ended.verdict.reason, f"{step.name}: {error}")

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

    def ok(self, steps: Iterable[Step], *, phase: str) -> bool:
        """Say whether the kernel answered `ok` for each of these."""
        return all((phase, step.id) in self.fates and self.fates[phase, step.id].fate is Fate.OK for step in steps)

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
