"""One attempt or rehearsal: the forward pass, the second look, what undoes it and what always comes last.

The order of things is here and nowhere else. It works on an order that was checked and claimed; it seals nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from runner.execution import fingerprint, phases
from runner.execution.asking import Asking
from runner.execution.kernels import Kernel, KernelNotStarted
from runner.execution.listener import Begin
from runner.execution.order import ACTING, Mode, Order
from runner.execution.outcome import ExitReason, Fate, began
from runner.execution.phases import CHANGING, Step
from runner.execution.record import ALWAYS, FORWARD, PROOF, ROLLBACK, Record
from runner.execution.stopping import Stopping
from runner.ledger.bodies import Rollback
from runner.runbook.cells import Cell


class Arm(Protocol):
    """Puts the secrets where the kernel finds them."""

    def __call__(self, *, change: bool) -> None:
        """Put the secrets to read with in place, and with `change` also those to change with."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What an attempt came to, beside its record: the undoing, and the diff where the state is not what it should be.

    `restored` says of a revert whether the state is what it was before the run that it reverts, if that can be seen.
    """

    rollback: Rollback
    moved: str = ""
    restored: bool | None = None


class Attempt:
    """Carries one order's cells out.

    Args:
        order: the checked order.
        cells: the runbook's cells.
        record: keeps every fate.
        stopping: knows why to stop.
        arm: puts the secrets in place: those to read with, or also those to change with.
        asking: asks what cells want to know from a person.
        spawn: starts a kernel that finds the results recorded so far; it returns before the kernel answers.
    """

    def __init__(
        self,
        order: Order,
        cells: Sequence[Cell],
        *,
        record: Record,
        stopping: Stopping,
        spawn: Callable[[], Kernel],
        arm: Arm,
        asking: Asking,
    ) -> None:
        self._order, self._cells = order, cells
        self._record, self._stopping, self._spawn, self._arm = record, stopping, spawn, arm
        self._asking = asking
        self._prelude = phases.prelude(cells, injected=order.injected)
        self._steps = phases.forward(cells, mode=order.mode, undo=order.undo)
        self._always = phases.always(cells) if order.mode in ACTING else ()
        self._proof = phases.look(cells) if order.mode is Mode.REVERT else ()
        self._kernel: Kernel | None = None

    def planned(self) -> tuple[tuple[str, Step], ...]:
        """Every cell that may run, with its phase, in the order in which people expect them."""
        undoing = [step for steps in reversed(self._undoing(None)) for step in steps]
        return (
            *((FORWARD, step) for step in (*self._prelude, *self._steps)),
            *((ROLLBACK, step) for step in undoing),
            *((ALWAYS, step) for step in self._always),
            *((PROOF, step) for step in self._proof),
        )

    def execute(self) -> Result:
        """Execute it all."""
        self._arm(change=False)
        moved = self._forward() if self._start() else ""
        rollback = self._undo() if self._wants_undoing() else self._not_undone()
        # Only now: a failure that the run was told to go on after is no reason to undo anything.
        self._record.conclude()
        self._clean_up()
        if self._order.mode is Mode.REVERT and self._record.reason is None:
            moved = self._prove()
        return Result(rollback=rollback, moved=moved, restored=self._restored(moved))

    def close(self) -> None:
        """End whatever kernel there is."""
        if self._kernel is not None:
            self._kernel.end(now=self._stopping.hurry)
            self._kernel = None

    def _forward(self) -> str:
        """The forward pass; returns the diff if the state moved since the plan."""
        # Counted from here: how long a kernel takes to start is not the runbook's doing.
        self._stopping.limit(self._order.timeout)
        place = phases.before_change(self._steps)
        before = (*self._prelude, *self._steps[:place])
        after = tuple(step for step in self._steps[place:] if step.id not in self._order.done)
        if not self._go(before, phase=FORWARD):
            return ""
        if self._order.mode in ACTING and not (self._order.moved_by_us or self._order.break_glass):
            moved = self._second_look(before)
            if moved:
                return moved
        self._arm(change=self._order.mode in ACTING)
        if self._go(after, phase=FORWARD) and self._kernel is not None and not self._kernel.answers():
            self._record.stop(ExitReason.KERNEL_DIED, "the kernel did not answer after the last cell")
        return ""

    def _second_look(self, before: Sequence[Step]) -> str:
        """Compare what the plan cells show with what was approved; nothing has changed yet."""
        looked = {step.id for step in before}
        planned = {cell: text for cell, text in self._order.plan_outputs.items() if cell in looked}
        seen = {cell: text for cell, text in self._record.plan_outputs.items() if cell in looked}
        whole = fingerprint.fingerprint(self._order.plan_outputs)
        moved = fingerprint.moved(planned, seen)
        if not moved and whole != self._order.fingerprint:
            moved = f"the order's plan outputs have the fingerprint {whole}, approved was {self._order.fingerprint}"
        if moved:
            self._record.stop(ExitReason.STATE_MOVED, "what the plan cells show is not what was approved")
        return moved

    def _prove(self) -> str:
        """Look once more after a revert; returns the diff if the state is not what it was before the reverted run."""
        if not self._order.restored or not self._go(self._proof, phase=PROOF):
            return ""
        moved = fingerprint.moved(self._order.restored, self._record.proof, names=("before", "after the revert"))
        if moved:
            self._record.stop(ExitReason.NOT_RESTORED, "the state is not what it was before the run that is reverted")
        return moved

    def _restored(self, moved: str) -> bool | None:
        looked = self._record.passed(self._proof, phase=PROOF)
        return not moved if self._proof and self._order.restored and looked else None

    def _go(self, steps: Sequence[Step], *, phase: str) -> bool:
        """Execute steps in one phase; True if nothing keeps later cells from running."""
        if not steps:
            return True
        self._record.phase = phase
        return all(self._executed(part, phase=phase) for part in phases.parts(steps))

    def _executed(self, steps: Sequence[Step], *, phase: str) -> bool:
        """Execute steps of which only the first may ask something."""
        from runner.execution import notebook

        if self._kernel is None:
            return False
        first, *rest = steps
        if first.asks is not None:
            match self._record.begins(first):
                case Begin.STOP:
                    return False
                case Begin.SKIP:  # nobody is asked about what does not run
                    return self._go(rest, phase=phase)
                case Begin.GO:
                    pass
            if not self._asking.ask(first, first.asks, kernel=self._kernel):
                return False
            setter = self._asking.setters[-1:] if first.asks.parameter else ()
            # Whether it runs is decided: what was answered may be what its condition asks for.
            steps = (*setter, replace(first, when=None), *rest)
        notebook.execute(self._kernel, steps, listener=self._record)
        return self._record.passed(steps, phase=phase)

    def _wants_undoing(self) -> bool:
        cancelled = self._record.reason is ExitReason.CANCELLED
        asked = cancelled and self._stopping.rollback
        # What an earlier attempt did is undone together with what this one did, or when somebody asks for it.
        changed = self._record.begun_changes or (asked and self._done)
        if self._record.reason is None or not changed:
            return False
        if not cancelled or asked:
            return True
        self._record.message += "; the changes that began are left as they are"
        return False

    @property
    def _done(self) -> list[int]:
        """The changes of earlier attempts that are in place."""
        return [step.index for step in self._steps if step.id in self._order.done]

    def _undoing(self, begun: Sequence[int] | None) -> tuple[tuple[Step, ...], ...]:
        if self._order.mode is not Mode.RUN:
            return ()
        changes = [step.index for step in self._steps if step.role == "change"] if begun is None else begun
        return phases.undoing(self._cells, changes)

    def _not_undone(self) -> Rollback:
        """What is said of the undoing where none is tried; nothing undoes a revert that stopped on its way."""
        if self._order.mode is not Mode.REVERT or self._record.reason is None:
            return Rollback.NOT_NEEDED
        acting = [fate for (phase, _), fate in self._record.fates.items() if phase == FORWARD and fate.role in CHANGING]
        return Rollback.NOT_POSSIBLE if any(began(fate) for fate in acting) else Rollback.NOT_NEEDED

    def _undo(self) -> Rollback:
        """Undo the begun changes from last to first; a failed one ends it, since those before it rest on it."""
        undo = self._undoing([*self._done, *self._record.begun_changes])
        if any(undo) and self._usable(ROLLBACK):
            for steps in undo:
                if not self._go(steps, phase=ROLLBACK):
                    break
        fates = {cell: fate.fate for (phase, cell), fate in self._record.fates.items() if phase == ROLLBACK}
        return phases.judged(undo, fates)

    def _clean_up(self) -> None:
        if not self._always or self._stopping.hurry or not self._began_anything():
            return
        if not (self._usable(ALWAYS) and self._go(self._always, phase=ALWAYS)):
            self._record.stop(ExitReason.CELL_ERROR, "an always cell did not end ok")

    def _began_anything(self) -> bool:
        return any(fate.fate is not Fate.NOT_RUN for fate in self._record.fates.values())

    def _usable(self, phase: str) -> bool:
        """Make sure that there is a living kernel with the parameters, the imports and the recorded results in it."""
        if self._kernel is not None and self._kernel.answers():
            return True
        if self._stopping.hurry:
            return False
        if self._kernel is not None:
            self._kernel.end(now=True)
        if not self._start():
            return False
        return self._go((*self._prelude, *self._asking.setters, *phases.setup(self._cells)), phase=phase)

    def _start(self) -> bool:
        try:
            self._kernel = self._spawn()
            # Importing papermill takes longer than the kernel takes to start, and both can happen at once.
            importlib.import_module("runner.execution.notebook")
            self._kernel.connect()
        except KernelNotStarted as error:
            self._record.stop(ExitReason.KERNEL_NOT_STARTED, str(error))
            return False
        return True
