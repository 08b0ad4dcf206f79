"""Asking a person in the middle of an attempt: the question is written down, and the kernel waits for a signed answer.

The worker speaks to nobody: it writes the question into its transcript, and whoever supervises it puts the answer into
the spool once that is on record. An answer is believed only if the supervisor signed it for this very question. Waiting
takes nothing from the time that cells may take, and ends with the answer, with a cancel, or when the time is over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec

from runner.digest import Json, Wire, parse
from runner.errors import IntegrityError, RequestError
from runner.execution import phases
from runner.execution.order import Order
from runner.execution.outcome import Answered, ExitReason
from runner.execution.phases import Step
from runner.execution.record import Record
from runner.execution.stopping import Cause, Stopping
from runner.execution.transcript import Asked
from runner.ledger.bodies import QuestionKind
from runner.ledger.envelope import open_envelope
from runner.ledger.event import iso
from runner.runbook.cells import Cell, Role
from runner.runbook.parameters import Schema, injected
from runner.runbook.questions import Asks

PAYLOAD_TYPE = "application/vnd.runbook.answer+json"
LOOK = 0.1
"""Seconds between two looks for an answer."""


class Given(Wire):
    """A signed answer's payload: for one question of one start. `event` is the number of the answer event."""

    run: str
    attempt: int
    nonce: str
    ordinal: int
    event: int
    by: str
    value: Json


def file_of(ordinal: int) -> str:
    """Where in a spool the answer to a question is looked for."""
    return f"answer-{ordinal}.dsse.json"


class Waits(Protocol):
    """The kernel, as far as waiting needs it."""

    @property
    def alive(self) -> bool:
        """Whether it is still there."""
        ...

    def idle(self, seconds: float) -> None:
        """Let time pass."""
        ...


class Asking:
    """Asks the questions of one attempt.

    Args:
        spool: where answers appear.
        order: whose questions they are.
        cells: the runbook's cells.
        keys: those whose signature is believed.
        record: keeps questions and answers.
        stopping: knows why to stop waiting.
        now: the wall clock in UTC.
    """

    def __init__(
        self,
        spool: Path,
        order: Order,
        cells: Sequence[Cell],
        *,
        keys: Sequence[str],
        record: Record,
        stopping: Stopping,
        now: Callable[[], datetime],
    ) -> None:
        self._spool, self._order, self._cells, self._keys = spool, order, cells, tuple(keys)
        self._record, self._stopping, self._now = record, stopping, now
        self._asked = 0
        declared = next((cell.source for cell in cells if cell.role is Role.PARAMETERS), "")
        self._schema = Schema.read(declared)
        self.setters: list[Step] = []
        """The cells that set parameters to what was answered so far, in order: a fresh kernel needs them too."""

    def ask(self, step: Step, asks: Asks, *, kernel: Waits) -> bool:
        """Ask, wait, and say whether the cell may run; why not is on record then.

        What an answer sets is the last of `setters` afterwards.
        """
        self._asked += 1
        question = self._question(step, asks)
        self._record.asked(question)
        began = self._record.clock()
        given = self._waited(question, asks.within, kernel=kernel)
        self._stopping.forgive(self._record.clock() - began)
        return given is not None and self._taken(step, question, given)

    def _question(self, step: Step, asks: Asks) -> Asked:
        parameter = self._only(asks.parameter)
        return Asked(
            ordinal=self._asked,
            kind=asks.kind,
            cell=step.id,
            step=step.name,
            text=asks.text,
            parameter=asks.parameter,
            accepted=parameter.rows()[0][1] if parameter.parameters else "yes or no",
            schema=parameter.json_schema() if parameter.parameters else {"type": "boolean"},
            until=iso(self._now() + timedelta(seconds=asks.within)),
        )

    def _only(self, name: str) -> Schema:
        return Schema(parameters=tuple(one for one in self._schema.parameters if one.name == name))

    def _waited(self, question: Asked, within: float, *, kernel: Waits) -> Given | None:
        """Wait for the answer; without one, the reason is on record."""
        end = self._record.clock() + within
        file = self._spool / file_of(question.ordinal)
        while True:
            if self._stopping.hurry or self._stopping.cancelled:
                self._record.refused(Cause.HURRY if self._stopping.hurry else Cause.CANCELLED)
                return None
            if (given := self._read(file, question.ordinal)) is not None:
                return given
            if self._record.clock() >= end:
                self._record.stop(ExitReason.UNANSWERED, f"nobody answered in time: {question.text}")
                return None
            if not kernel.alive:
                self._record.stop(ExitReason.KERNEL_DIED, f"the kernel died while this was asked: {question.text}")
                return None
            kernel.idle(LOOK)

    def _read(self, file: Path, ordinal: int) -> Given | None:
        """Read the answer; a file that does not prove to be one is as good as none."""
        try:
            payload = open_envelope(file.read_bytes(), keys=self._keys, payload_type=PAYLOAD_TYPE)
            given = parse(Given, payload)
        except (OSError, IntegrityError, msgspec.MsgspecError):
            return None
        order = self._order
        meant = (given.run, given.attempt, given.nonce, given.ordinal)
        return given if meant == (order.run, order.attempt, order.nonce, ordinal) else None

    def _taken(self, step: Step, question: Asked, given: Given) -> bool:
        """Put the answer on record and say whether it lets the cell run."""
        made: Step | None = None
        if question.kind is QuestionKind.ASK:
            try:
                value = self._only(question.parameter).values({question.parameter: given.value}).plain()
                made = phases.answered(self._cells, step, source=injected(value))
            except RequestError as error:
                self._record.stop(ExitReason.INTERNAL_ERROR, f"the answer is not accepted: {error.wrong}")
                return False
        answered = Answered(
            ordinal=question.ordinal,
            event=given.event,
            by=given.by,
            kind=question.kind,
            asked_by=step.id,
            parameter=question.parameter,
            value=given.value,
            index=step.index,
            cell=made.id if made else "",
            source=made.source if made else "",
        )
        if not self._record.answered(answered):
            return False
        if made is not None:
            self.setters.append(made)
        elif given.value is not True:
            self._record.stop(ExitReason.DECLINED, f"{given.by} said no: {question.text}")
            return False
        return True
