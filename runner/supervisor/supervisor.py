"""The loop: gather, ask the lifecycle, carry out, and again, until there is nothing left that can be done now."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from runner.errors import OutsideError, RunbookError
from runner.execution import transcript
from runner.execution.outcome import Fate
from runner.lifecycle import (
    Action,
    Answer,
    Await,
    Close,
    Expire,
    Finish,
    Interrupt,
    Known,
    MakePlan,
    Record,
    Snapshot,
    Start,
    Stop,
    Submit,
    Tell,
    Unheard,
    next_actions,
)
from runner.ports.executor import WorkState
from runner.ports.forge import IssueId
from runner.publication import comments
from runner.supervisor import heartbeat, planning, record, running, telling
from runner.supervisor.desk import Desk, open_desk
from runner.supervisor.gather import gather, work_key
from runner.supervisor.heartbeat import Observer
from runner.wiring import Workspace

POLL = 0.1
"""Seconds between two looks at a worker of this machine."""
STATUS_EVERY = 10.0
"""Seconds between two edits of the status comment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Who is told what happens while it happens: words for people, and transcripts for progress bars."""

    say: Callable[[str], None]
    progress: Callable[[str, bytes], None]


class Supervisor:
    """One machine's supervisor. Several may run at once; the ledger keeps them apart."""

    def __init__(self, workspace: Workspace, *, now: Callable[[], datetime], watcher: Watcher) -> None:
        self._workspace = workspace
        self._now = now
        self._watcher = watcher
        self._passed: set[str] = set()
        file = workspace.state / "heartbeats.json"
        lease = float(workspace.settings.lease)
        self._observer = Observer(file, lease=lease, monotonic=time.monotonic, boot=heartbeat.boot_id())

    def reconcile(self, *, only: IssueId | None = None, wait: bool = True) -> Snapshot:
        """Do everything that can be done now, and return what is then left to wait for.

        Args:
            only: look at one issue alone.
            wait: stay with workers of this machine until they end; else leave them to a later call.

        Raises:
            OutsideError: if forge or remote do not answer; what was done is on record and the rest comes later.
        """
        with self._alone():
            refused: set[str] = set()
            while True:
                desk = open_desk(self._workspace, now=self._now)
                snapshot = gather(desk, self._observer, only=only)
                actions = [one for one in next_actions(snapshot, self._now()) if self._wanted(one, refused, wait=wait)]
                if not actions:
                    return snapshot
                for action in actions:
                    if not self._carry_out(desk, action):
                        refused.add(_name(action))

    def _wanted(self, action: Action, refused: set[str], *, wait: bool) -> bool:
        """An action that came to nothing in this call is left for the next one, or two would repeat it for ever."""
        if isinstance(action, Stop) and _name(action) in self._passed:
            return False
        return _name(action) not in refused and (wait or not isinstance(action, Await))

    def _carry_out(self, desk: Desk, action: Action) -> bool:
        """Carry one action out; False if it came to nothing."""
        match action:
            case MakePlan():
                return self._plan(desk, action)
            case Answer():
                telling.answer(desk, action.unheard)
                return True
            case Record():
                body, run = action.heard.body, action.heard.run
                self._watcher.say(f"{body.said.by}: {type(body).__name__.lower()} {run.id}")
                return record.heard(desk.ledger, run, body, plan=action.heard.plan, writer=desk.writer, now=desk.now)
            case Tell():
                telling.tell(desk, action.known, action.what)
                return True
            case Close():
                desk.forge.close(IssueId(action.known.run.plan.issue))
                return True
            case Await():
                self._await(desk, action.known)
                return True
            case _:
                return self._run(desk, action)

    def _run(self, desk: Desk, action: Start | Submit | Stop | Finish | Interrupt | Expire) -> bool:
        known = action.known
        match action:
            case Start():
                self._watcher.say(f"start {known.run.id}")
                return running.start(desk, known)
            case Submit():
                running.submit(desk, known)
                return True
            case Stop():
                self._passed.add(_name(action))
                running.stop(desk, known)
                return True
            case Finish():
                self._watcher.say(f"seal the evidence of {known.run.id}")
                return running.finish(desk, known)
            case Interrupt():
                self._watcher.say(f"{known.run.id} is interrupted: {action.reason}")
                return running.interrupt(desk, known, reason=action.reason)
            case Expire():
                return running.expire(desk, known)
        assert_never(action)

    def _plan(self, desk: Desk, action: MakePlan) -> bool:
        request = action.request
        self._watcher.say(f"plan {request.runbook} for {request.comment.author}")
        try:
            return planning.make_plan(desk, request, progress=self._watcher.progress) is not None
        except OutsideError:
            raise
        except RunbookError as error:
            hint = error.hint
            body = comments.refusal(
                key=request.key, verb="the request", by=request.comment.author, reasons=(str(error),), hint=hint
            )
            thread = desk.forge.thread(request.comment.issue)
            telling.answer(desk, Unheard(thread=thread, key=request.key, body=body))
            self._watcher.say(f"refused: {error}")
            return True

    def _await(self, desk: Desk, known: Known) -> None:
        """Keep a worker company until it ends: signs of life, progress, status comment."""
        key, began = work_key(known.run), time.monotonic()
        beat_every = max(1.0, float(desk.workspace.settings.lease) / 4)
        next_beat, next_status = began, began + STATUS_EVERY
        seen = b""
        while desk.executor.state(key) is WorkState.RUNNING:
            said = desk.executor.progress(key)
            if said != seen:
                seen = said
                self._watcher.progress(known.run.id, said)
            at = time.monotonic()
            if at >= next_beat:
                next_beat = at + beat_every
                self._beat(desk, known)
                if self._somebody_spoke(desk, known):
                    return
            if at >= next_status:
                next_status = at + STATUS_EVERY
                self._status(desk, known, seen, seconds=at - began)
            time.sleep(POLL)
        self._watcher.progress(known.run.id, desk.executor.progress(key))

    def _somebody_spoke(self, desk: Desk, known: Known) -> bool:
        """Whether the issue has new words since it was read: a cancel must not wait for the end of the run."""
        try:
            thread = desk.forge.thread(known.thread.issue.id)
        except OutsideError:
            return False
        people = [one.id for one in thread.comments if not one.ours]
        return people != [one.id for one in known.thread.comments if not one.ours]

    def _beat(self, desk: Desk, known: Known) -> None:
        try:
            heartbeat.beat(desk.workspace.objects, known.run.id, word=known.run.state.value, now=self._now())
        except RunbookError as error:
            self._watcher.say(f"the remote is away ({error.wrong}); the run goes on")

    def _status(self, desk: Desk, known: Known, said: bytes, *, seconds: float) -> None:
        """A status comment that cannot be written is no reason to stop: it proves nothing."""
        cells = transcript.fates(said)
        now_running = next((one for one in cells if one.fate is Fate.RUNNING), None)
        done = sum(one.fate not in {Fate.NOT_RUN, Fate.RUNNING} for one in cells)
        try:
            telling.status(
                desk,
                known,
                state=known.run.state.value,
                step=now_running.name if now_running else "",
                cell=done + (now_running is not None),
                cells=len(cells),
                seconds=seconds,
            )
        except RunbookError:
            return

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One supervisor at a time on a machine: two would do everything twice and say it once."""
        folder = self._workspace.state
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (folder / "supervisor.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._watcher.say("another supervisor is at work on this machine; waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _name(action: Action) -> str:
    """What makes two actions the same one."""
    match action:
        case MakePlan():
            return f"plan {action.request.key}"
        case Answer():
            return f"answer {action.unheard.key}"
        case Record():
            said = action.heard.body.said
            return f"record {action.heard.run.id} {type(action.heard.body).__name__} {said.comment}"
        case Tell():
            return f"tell {action.known.run.id} {action.what.value} {action.known.run.attempt}"
        case _:
            return f"{type(action).__name__} {action.known.run.id} {action.known.run.attempt}"
