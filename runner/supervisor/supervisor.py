"""The loop: gather, ask the lifecycle, carry out, and again, until there is nothing left that can be done now."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import assert_never

from runner.actions import (
    Action,
    Answer,
    Ask,
    Assign,
    Await,
    Close,
    Deliver,
    Effect,
    Expire,
    Finish,
    Interrupt,
    MakePlan,
    Mark,
    OfRun,
    OwnUp,
    Propose,
    Record,
    Start,
    Stop,
    Submit,
    Switch,
    Tell,
    Withdraw,
    name_of,
)
from runner.errors import OperatorError, OutsideError, RequestError, RunbookError
from runner.execution.progress import Progress
from runner.lifecycle import due
from runner.plan.run import Run, RunState
from runner.ports.executor import Executor
from runner.ports.forge import IssueId
from runner.snapshot import Known, Snapshot
from runner.supervisor import (
    asking,
    company,
    halting,
    heartbeat,
    owning_up,
    planning,
    preparing,
    record,
    reviewing,
    running,
    telling,
)
from runner.supervisor.alone import alone
from runner.supervisor.desk import Desk, open_desk
from runner.supervisor.ending import Ending
from runner.supervisor.following import Followed
from runner.supervisor.freshness import Freshness
from runner.supervisor.gather import somebody_spoke, work_key
from runner.supervisor.heartbeat import Observer, Pulse
from runner.supervisor.looking import look, wanted
from runner.supervisor.watcher import Watcher
from runner.wiring import Workspace


class Supervisor:
    """One machine's supervisor. Several may run at once; the ledger keeps them apart."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        now: Callable[[], datetime],
        watcher: Watcher,
        executor: Executor | None = None,
    ) -> None:
        self.workspace = workspace
        """The clone as it was last looked at."""
        self._executor = executor or workspace.executor()
        self._now = now
        self._watcher = watcher
        self._ending = Ending()
        self._open: tuple[Run, ...] = ()
        self.put_off: list[RunbookError] = []
        """Why requests or runs could not be made ready in this call: whoever it falls to acts next."""
        file = workspace.state / "heartbeats.json"
        lease = float(workspace.settings.lease)
        self._observer = Observer(file, lease=lease, monotonic=time.monotonic, boot=heartbeat.boot_id())
        self._followed = Followed()
        self._pulse = Pulse(lease=lease, monotonic=time.monotonic)

    def reconcile(self, *, only: IssueId | None = None, wait: bool = True) -> Snapshot:
        """Do everything that can be done now, and return what is then left to wait for.

        Args:
            only: look at one issue alone.
            wait: stay with workers of this machine until they end; else leave them to a later call.

        Raises:
            OutsideError: if forge or remote do not answer; what was done is on record and the rest comes later.
        """
        with alone(self.workspace.state, say=self._watcher.say), self._ending.listening():
            try:
                return self._until_nothing_is_left(only=only, wait=wait)
            except KeyboardInterrupt:
                self._pass_on()
                raise

    def _until_nothing_is_left(self, *, only: IssueId | None, wait: bool) -> Snapshot:
        refused: set[str] = set()
        swept = False
        fresh = Freshness()
        while True:
            fresh.begin(self._watcher.wake)
            asked = self.workspace.asked
            with open_desk(
                self.workspace, executor=self._executor, now=self._now, fresh=fresh.remote, since=fresh.forge
            ) as desk:
                self.workspace = desk.workspace
                if not swept:
                    swept = True
                    running.sweep(desk)
                snapshot, away = look(desk, self._observer, only=only)
                if away is None:
                    self._watcher.seen(snapshot)
                self._open = tuple(known.run for known in snapshot.runs if _is_open(known))
                self._ending.busy = bool(self._open)
                ending, deaf = self._ending.asked, away is not None
                actions = wanted(snapshot, refused, now=self._now(), wait=wait, ending=ending, deaf=deaf)
                if not actions and ending:
                    raise KeyboardInterrupt
                if not actions and away:
                    raise away
                if not actions:
                    for words in snapshot.trouble:
                        self._watcher.say(words)
                    return snapshot
                turn = due(actions)
                starts = any(isinstance(one, Start) for one in turn)
                if starts and not fresh.enough_to_start(asked=desk.workspace.asked != asked):
                    # Nothing starts on policy and words that were read for an earlier look.
                    continue
                self._do(desk, turn, refused, spoken=partial(somebody_spoke, desk, snapshot, only=only))

    def _pass_on(self) -> None:
        """Whoever asked twice does not wait for the worker; the worker is asked to end all the same."""
        if self._ending.asked:
            for run in self._open:
                self._executor.cancel(work_key(run), rollback=False)

    def _do(self, desk: Desk, turn: Sequence[Action], refused: set[str], *, spoken: Callable[[], bool]) -> None:
        """Carry out those whose turn it is; what they say goes out in one step."""
        effects = [action for action in turn if not isinstance(action, Await)]
        try:
            with desk.forge.together():
                for action in effects:
                    done = self._carry_out(desk, action)
                    if not done or isinstance(action, Stop | Deliver | Mark | Assign | Withdraw):
                        refused.add(name_of(action))
        except RequestError as error:  # of the step at the end: what is in it cannot be told apart
            self._put_off(error)
            refused.update(map(name_of, effects))
        running = [one.known for one in turn if isinstance(one, Await)]
        if running:
            company.keep(
                desk,
                running,
                watcher=self._watcher,
                ending=self._ending,
                pulse=self._pulse,
                followed=self._followed,
                spoken=spoken,
            )

    def _carry_out(self, desk: Desk, action: Effect) -> bool:
        """Carry one action out; False if it came to nothing."""
        match action:
            case MakePlan():
                return self._plan(desk, action)
            case Record():
                body, run = action.heard.body, action.heard.run
                self._watcher.say(f"{body.said.by}: {type(body).__name__.lower()} {run.id}")
                return record.heard(desk.ledger, run, body, plan=action.heard.plan, writer=desk.writer, now=desk.now)
            case Switch():
                self._watcher.say(f"{action.body.said.by}: {type(action.body).__name__.lower()} everything")
                return halting.throw(desk, action.body)
            case OwnUp():
                self._watcher.say(f"put {action.glass.plan.run} on record, which ran by break-glass")
                return owning_up.own_up(desk, action.glass)
            case Answer() | Tell() | Mark() | Assign() | Close():
                return self._said(lambda: telling.say(desk, action))
            case Propose():
                return self._propose(desk, action.known)
            case Withdraw():
                reviewing.withdraw(desk, action.known.run, action.known.plan)
                return True
            case _:
                return self._run(desk, action)

    def _said(self, say: Callable[[], None]) -> bool:
        """Say something; an issue that takes no more words must not keep others, or the run itself, from going on."""
        try:
            say()
        except RequestError as error:
            return self._put_off(error)
        return True

    def _run(self, desk: Desk, action: OfRun) -> bool:
        known = action.known
        match action:
            case Start():
                return self._start(desk, known)
            case Submit():
                running.submit(desk, known)
                return True
            case Ask():
                self._watcher.say(f"{known.run.id} asks: {known.asked.text if known.asked else ''}")
                return asking.ask(desk, known)
            case Deliver():
                asking.deliver(desk, known)
                return True
            case Stop():
                running.stop(desk, known)
                return True
            case Finish():
                company.catch_up(desk, known, watcher=self._watcher, followed=self._followed)
                self._watcher.say(f"seal the evidence of {known.run.id}")
                return running.finish(desk, known)
            case Interrupt():
                self._watcher.say(f"{known.run.id} is interrupted: {action.reason}")
                return running.interrupt(desk, known, reason=action.reason)
            case Expire():
                return running.expire(desk, known)
        assert_never(action)

    def _propose(self, desk: Desk, known: Known) -> bool:
        """Put a change up for review; where the runner may not, everybody else's work goes on."""
        self._watcher.say(f"propose the change of {known.run.id}")
        try:
            reviewing.put_up(desk, known.run, known.plan)
        except OperatorError as error:
            return self._put_off(error)
        return True

    def _start(self, desk: Desk, known: Known) -> bool:
        """Start a run; one that cannot start on this machine must not keep others from starting."""
        self._watcher.say(f"start {known.run.id}")
        self._ending.busy = True

        def watch(_so_far: Progress | None) -> None:
            company.signs_of_life(desk, self._open, pulse=self._pulse, watcher=self._watcher)

        try:
            return running.start(desk, known, watch=watch)
        except (preparing.StoreAwayError, preparing.UnpreparedError) as error:
            return self._put_off(error)
        except RequestError as error:
            self._watcher.say(f"it does not start: {error}")
            return False

    def _put_off(self, error: RunbookError) -> bool:
        """Leave what cannot be had now to a later call; everybody else's work goes on."""
        self.put_off.append(error)
        return False

    def _plan(self, desk: Desk, action: MakePlan) -> bool:
        request = action.request

        def progress(run: str, so_far: Progress | None) -> None:
            if so_far is not None:
                self._watcher.progress(run, so_far)
            # Other runs of this machine must not seem lost while we wait for a rehearsal.
            company.signs_of_life(desk, self._open, pulse=self._pulse, watcher=self._watcher)

        self._watcher.say(f"plan {request.runbook} for {request.comment.author}")
        try:
            return planning.make_plan(desk, request, progress=progress) is not None
        except preparing.StoreAwayError as error:
            return self._put_off(error)
        except (OutsideError, planning.NotRecordedError):
            raise
        except RunbookError as error:
            if isinstance(error, preparing.UnpreparedError):
                self._put_off(error)
            self._watcher.say(f"refused: {error}")
            return self._said(partial(telling.refuse, desk, request, error))


def _is_open(known: Known) -> bool:
    """Whether a run of this machine is under way."""
    return known.ours and known.run.state is RunState.STARTED
