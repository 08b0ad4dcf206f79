"""Keeping running workers company: signs of life to the remote, progress to whoever watches, the status comment.

None of it is needed for the truth: a remote that is away or a comment that cannot be written stops nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from runner.errors import RunbookError
from runner.execution import transcript
from runner.execution.outcome import Fate
from runner.plan.run import Run
from runner.ports.executor import WorkState
from runner.snapshot import Known
from runner.supervisor import heartbeat, telling
from runner.supervisor.desk import Desk
from runner.supervisor.ending import Ending
from runner.supervisor.gather import work_key
from runner.supervisor.heartbeat import Pulse
from runner.supervisor.watcher import Watcher

POLL = 0.05
"""Seconds between two looks at the workers of this machine."""
LISTEN_EVERY = 2.0
"""Seconds between two looks at the issue: a cancel must not wait for the end of the run."""
STATUS_EVERY = 10.0
"""Seconds between two edits of the status comment."""


@dataclass(slots=True)
class _Watch:
    """What was last done for one run; times are of the monotonic clock."""

    known: Known
    seen: bytes = b""
    began: float = field(default_factory=time.monotonic)
    status: float = field(default_factory=time.monotonic)


def keep(
    desk: Desk,
    running: Sequence[Known],
    *,
    watcher: Watcher,
    ending: Ending,
    pulse: Pulse,
    spoken: Callable[[], bool],
) -> None:
    """Stay until a worker has ended, somebody has spoken on an issue, or we are asked to end.

    Args:
        desk: at hand.
        running: the runs of this machine whose workers run.
        watcher: is told of progress.
        ending: whether this process was asked to end; the workers are then asked too.
        pulse: knows which run is due for a sign of life.
        spoken: says whether people have written anything since they were last heard.
    """
    watches = [_Watch(known) for known in running]
    listened = time.monotonic()
    passed = False
    while all(desk.executor.state(work_key(one.known.run)) is WorkState.RUNNING for one in watches):
        for one in watches:
            _attend(desk, one, watcher)
        signs_of_life(desk, [one.known.run for one in watches], pulse=pulse, watcher=watcher)
        if ending.asked and not passed:
            passed = True
            watcher.say("asked to end: the running work is being cancelled and recorded")
            for one in watches:
                desk.executor.cancel(work_key(one.known.run), rollback=False)
        if time.monotonic() - listened >= LISTEN_EVERY:
            listened = time.monotonic()
            if spoken():
                return
        time.sleep(POLL)
    for one in watches:
        _show(desk, one, watcher)


def _attend(desk: Desk, one: _Watch, watcher: Watcher) -> None:
    _show(desk, one, watcher)
    at = time.monotonic()
    if at - one.status >= STATUS_EVERY:
        one.status = at
        _status(desk, one, seconds=at - one.began)


def _show(desk: Desk, one: _Watch, watcher: Watcher) -> None:
    said = desk.executor.progress(work_key(one.known.run))
    if said != one.seen:
        one.seen = said
        watcher.progress(one.known.run.id, said)


def signs_of_life(desk: Desk, runs: Iterable[Run], *, pulse: Pulse, watcher: Watcher) -> None:
    """Show the remote that the runs that are due have an owner; a remote that is away stops nothing."""
    for run in runs:
        if not pulse.due(run.id):
            continue
        try:
            heartbeat.beat(desk.workspace.objects, run.id, word=run.state.value, now=desk.now())
        except RunbookError as error:
            watcher.say(f"the remote is away ({error.wrong}); the run goes on")


def _status(desk: Desk, one: _Watch, *, seconds: float) -> None:
    cells = transcript.fates(one.seen)
    at_work = next((cell for cell in cells if cell.fate is Fate.RUNNING), None)
    done = sum(cell.fate not in {Fate.NOT_RUN, Fate.RUNNING} for cell in cells)
    try:
        telling.status(
            desk,
            one.known,
            state=one.known.run.state.value,
            step=at_work.name if at_work else "",
            cell=done + (at_work is not None),
            cells=len(cells),
            seconds=seconds,
        )
    except RunbookError:
        return
