"""The worker: carries out one signed order in one spool, once, and seals what came of it.

It believes nothing that it was not shown: the order's signature, the notebook's and toolkit's digests, that the start
is open on the remote. Then it claims the spool, and only then cells run. It holds no key and no token, and imports no
adapter: the secrets' store and the look at the remote are given to it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from runner import config
from runner.errors import IntegrityError, RunbookError
from runner.execution import acceptance, isolation, needs, outcomes, plan_files, proposing, seal_outcome, transcript
from runner.execution.asking import Asking
from runner.execution.attempt import Attempt, Result
from runner.execution.environments import Built
from runner.execution.isolation import Room
from runner.execution.kernels import Kernel
from runner.execution.live import Live
from runner.execution.needs import UnavailableError
from runner.execution.order import ACTING, Mode, Order
from runner.execution.outcome import ExitReason, Outcome
from runner.execution.outputs import Kept
from runner.execution.record import Record
from runner.execution.redact import Masker
from runner.execution.sandbox import Sandbox
from runner.execution.spare import Spare
from runner.execution.stopping import Stopping
from runner.execution.transcript import Transcript
from runner.ledger.bodies import Rollback
from runner.ports import live_log
from runner.ports.live_log import LiveLog
from runner.ports.secrets import Secrets
from runner.runbook import cells as notebook_cells
from runner.runbook.cells import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the worker needs from outside of itself.

    `still_open` raises IntegrityError if the start is not open on the remote with this plan digest and nonce, and
    OutsideError if the remote cannot be asked. `now` is the wall clock in UTC, `clock` monotonic seconds. `hidden` are
    this machine's own folders, such as the one with the key, which stay shut whatever a header declares. `environments`
    is the folder of its environments. `at_home` says that what is left here for the supervisor stays on its machine.
    """

    secrets: Secrets
    still_open: Callable[[Order], None]
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic
    hidden: tuple[str, ...] = ()
    environments: Path = field(default_factory=config.environments_folder)
    at_home: bool = True


def carry_out(spool: Path, *, outside: Outside, spare: Spare | None = None) -> Outcome | None:
    """Carry out the spool's order.

    Args:
        spool: the work's folder.
        outside: secrets, the remote and the clocks.
        spare: a kernel that was started ahead; it is used if it fits the order.

    Returns:
        The sealed outcome, or None if another worker has claimed this spool.

    Raises:
        IntegrityError: if the order may not be carried out; that is sealed as a failed outcome in which no cell ran.
        OutsideError: if the remote could not be asked (nothing is claimed then: try again), or nothing can be sealed.
    """
    os.umask(0o077)
    isolation.shut()
    stopping = Stopping(spool, clock=outside.clock)
    stopping.listen()
    try:
        order, notebook = acceptance.checked(spool)
        if order.mode in ACTING and not order.break_glass:
            outside.still_open(order)
    except IntegrityError as error:
        if acceptance.claimed(spool):
            _, files = outcomes.refused(str(error), now=outside.now())
            seal_outcome.seal(spool, files, make_room=lambda: None)
        raise
    if not acceptance.claimed(spool):
        return None
    return _Work(spool, order, notebook=notebook, outside=outside, spare=spare).done(stopping)


class _Work:
    """One claimed order on its way to its outcome."""

    def __init__(
        self, spool: Path, order: Order, *, notebook: bytes, outside: Outside, spare: Spare | None = None
    ) -> None:
        self._spare = spare
        self._spool, self._order, self._notebook, self._outside = spool, order, notebook, outside
        self._started, self._began = outside.now(), outside.clock()
        self._kept = Kept(masker=Masker({}))
        self._loop = spare.loop if spare else asyncio.new_event_loop()
        self._isolation = isolation.reached()
        self._left: dict[str, bytes] = {}
        self._built: Built | None = None

    def done(self, stopping: Stopping) -> Outcome:
        """Execute, seal and leave nothing behind but the spool's files."""
        room: Room | None = None
        try:
            seal_outcome.reserve(self._spool)
            cells, secrets = self._prepared(stopping)
            earlier = self._order.records
            python = str(self._built.python) if self._built else sys.executable
            sandbox = isolation.sandbox(self._order, level=self._isolation, hidden=self._outside.hidden, python=python)
            room = self._room(sandbox)
            self._kept = Kept(
                masker=Masker(secrets),
                hidden_paths=_hidden(self._spool, room.private.parent),
                records=dict(earlier),
                raw_records=dict(earlier),
            )
            if self._order.mode is Mode.PREPARE:
                ending = self._nothing(None, "")
            else:
                plan_files.hand(room, plan_files.check(self._spool, self._order.files))
                proposing.hand(room, self._spool, self._order)
                ending = self._attempted(cells, secrets=secrets, stopping=stopping, room=room, sandbox=sandbox)
            if self._order.mode is Mode.REHEARSE:
                self._left = plan_files.left(room)
                ending = ending if self._outside.at_home else self._without_plan_files(ending)
                self._left |= proposing.left(room, self._spool, self._order, masker=self._kept.masker)
        except UnavailableError as error:
            ending = self._nothing(error.reason, str(error))
        except RunbookError as error:
            ending = self._nothing(ExitReason.INTERNAL_ERROR, str(error))
        finally:
            if room is not None:
                isolation.close_room(room)
            if self._spare is not None:
                self._spare.end()
            self._loop.close()
        return self._sealed(ending)

    def _room(self, sandbox: Sandbox) -> Room:
        """The room of a spare that fits, or one of our own; a spare that does not fit is ended."""
        if self._spare is not None and self._spare.fits(self._order, sandbox):
            return self._spare.room
        if self._spare is not None:
            self._spare.end()
        return isolation.open_room(self._spool)

    def _prepared(self, stopping: Stopping) -> tuple[tuple[Cell, ...], dict[str, str]]:
        """Read the cells, and get what this order needs: secrets last, so that they are held as short as possible."""
        isolation.require(self._order.isolation, level=self._isolation)
        cells = notebook_cells.read(json.loads(self._notebook))
        sources = needs.Sources(
            secrets=self._outside.secrets,
            environments=self._outside.environments,
            stopped=lambda: stopping.cancelled,
        )
        self._built = needs.environment(self._spool, self._order, sources=sources)
        return cells, needs.secrets(self._order, cells=cells, sources=sources)

    def _attempted(
        self, cells: tuple[Cell, ...], *, secrets: dict[str, str], stopping: Stopping, room: Room, sandbox: Sandbox
    ) -> outcomes.Ending:
        environment = isolation.environment(room, self._order.environment, python=sandbox.python)
        arm = partial(self._arm, room, secrets)

        def spawn() -> Kernel:
            isolation.hand_records(room, self._kept.raw_records)
            ready = self._spare.take() if self._spare else None
            if ready is not None:
                ready.adopt(self._order.environment)
                return ready
            return Kernel(room, sandbox=sandbox, environment=environment, loop=self._loop)

        with Transcript(self._spool / transcript.NAME, make_room=self._make_room) as written:
            record = Record(
                written,
                kept=self._kept,
                stopping=stopping,
                clock=self._outside.clock,
                cell_timeout=self._order.cell_timeout,
                live=Live(LiveLog(self._spool / live_log.NAME), masker=self._kept.masker, clock=self._outside.clock),
                values=self._order.parameters,
            )
            asking = self._asking(cells, record=record, stopping=stopping)
            attempt = Attempt(self._order, cells, record=record, stopping=stopping, spawn=spawn, arm=arm, asking=asking)
            try:
                planned, done = attempt.planned(), self._order.done
                record.open(nonce=self._order.nonce, injected=self._order.injected, planned=planned, done=done)
                result = attempt.execute()
            except Exception as error:  # noqa: BLE001 - whatever broke, the cells that ran have to be reported
                record.broke(error)
                result = Result(rollback=Rollback.FAILED if record.begun_changes else Rollback.NOT_NEEDED)
            finally:
                attempt.close()
        return self._ending(record, result)

    def _arm(self, room: Room, secrets: Mapping[str, str], *, change: bool) -> None:
        """Give the cells what they are given before the first change, or from there on."""
        names = (*self._order.read_secrets, *(self._order.change_secrets if change else ()))
        isolation.hand_secrets(room, {name: secrets[name] for name in names})
        if change:
            proposing.hand(room, self._spool, self._order, merged=True)

    def _asking(self, cells: tuple[Cell, ...], *, record: Record, stopping: Stopping) -> Asking:
        return Asking(
            self._spool,
            self._order,
            cells,
            keys=acceptance.keys(self._spool),
            record=record,
            stopping=stopping,
            now=self._outside.now,
        )

    def _ending(self, record: Record, result: Result) -> outcomes.Ending:
        return outcomes.Ending(
            reason=record.reason,
            message=record.message,
            rollback=result.rollback,
            moved=result.moved,
            restored=result.restored,
            cells=tuple(record.fates.values()),
            shown=record.shown,
            plan_outputs=record.plan_outputs,
            answers=tuple(record.answers),
            isolation=self._isolation,
            started=self._started,
            finished=self._outside.now(),
            seconds=self._outside.clock() - self._began,
            built=self._built,
        )

    def _nothing(self, reason: ExitReason | None, message: str) -> outcomes.Ending:
        """The ending of an order of which no cell was executed."""
        return outcomes.Ending(
            reason=reason,
            message=message,
            rollback=Rollback.NOT_NEEDED,
            moved="",
            cells=(),
            shown={},
            plan_outputs={},
            isolation=self._isolation,
            started=self._started,
            finished=self._outside.now(),
            seconds=self._outside.clock() - self._began,
            built=self._built,
        )

    def _without_plan_files(self, ending: outcomes.Ending) -> outcomes.Ending:
        """Keep back files that may hold secrets: a rehearsal that left some has failed, where they would be seen."""
        names = ", ".join(sorted(name.removeprefix(plan_files.PREFIX) for name in self._left))
        self._left = {}
        if not names or ending.reason is not None:
            return ending
        said = f"it left files for the run ({names}), which may hold secrets and do not leave this executor's runners"
        return replace(ending, reason=ExitReason.INTERNAL_ERROR, message=said)

    def _make_room(self) -> None:
        (self._spool / seal_outcome.RESERVE).unlink(missing_ok=True)

    def _sealed(self, ending: outcomes.Ending) -> Outcome:
        outcome, files = outcomes.files(self._order, self._notebook, ending=ending, kept=self._kept)
        try:
            seal_outcome.seal(self._spool, {**files, **self._left}, make_room=self._make_room)
        except seal_outcome.NoRoomError:
            outcome, files = outcomes.without_outputs(self._order, self._notebook, ending=ending, kept=self._kept)
            seal_outcome.seal(self._spool, files, make_room=self._make_room)
        return outcome


def _hidden(*folders: Path) -> tuple[str, ...]:
    """The ways in which the paths of the worker's own folders may be written, longest first."""
    return tuple(sorted({str(way) for one in folders for way in (one, one.resolve())}, key=len, reverse=True))
