"""Keeping running workers company: signs of life to the remote, progress to whoever watches, the status comment.

None of it is needed for the truth: a remote that is away or a comment that cannot be written stops nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from runner.errors import RunbookError
from runner.execution.progress import Progress
from runner.plan.run import Run
from runner.ports.executor import WorkState
from runner.snapshot import Known
from runner.supervisor import bulletin, heartbeat, telling
from runner.supervisor.desk import Desk
from runner.supervisor.ending import Ending
from runner.supervisor.following import Followed, Following
from runner.supervisor.gather import work_key
from runner.supervisor.heartbeat import Pulse
from runner.supervisor.typing import Keyboard
from runner.supervisor.watcher import Watcher

POLL = 0.05
"""Seconds between two looks at the workers of this machine."""
LISTEN_AT_MOST = 30.0
"""Seconds between two looks at the issues of a long run: a cancel must not wait for its end, nor a server for us."""
STATUS_FROM = 3.0
"""Seconds after which a run has a status comment; one that ends sooner has only the last one, with its result."""
STATUS_EVERY = 10.0
"""Seconds between two writes of the status comment, at first."""
EASING = 10, 2
"""A run of so many seconds is listened for once in a tenth of them, and its status comment edited once in a half."""


@dataclass(slots=True)
class _Watch:
    """What was last done for one run."""

    known: Known
    following: Following


def keep(
    desk: Desk,
    running: Sequence[Known],
    *,
    watcher: Watcher,
    ending: Ending,
    pulse: Pulse,
    followed: Followed,
    spoken: Callable[[], bool],
) -> None:
    """Stay until a worker has ended, somebody has spoken on an issue, or we are asked to look or to end.

    Args:
        desk: at hand.
        running: the runs of this machine whose workers run.
        watcher: is told of progress.
        ending: whether this process was asked to end; the workers are then asked too.
        pulse: knows which run is due for a sign of life.
        followed: what was shown of these runs before.
        spoken: says whether people have written anything since they were last heard.
    """
    watches = [_Watch(known, followed.of(desk.executor, work_key(known.run))) for known in running]
    keyboard = Keyboard(desk, watcher)
    listened = time.monotonic()
    passed = False
    while all(desk.executor.state(work_key(one.known.run)) is WorkState.RUNNING for one in watches):
        for one in watches:
            _attend(desk, one, watcher)
        if any(_asks_anew(one) or keyboard.answered(one.known) for one in watches):
            return
        signs_of_life(desk, [one.known.run for one in watches], pulse=pulse, watcher=watcher)
        if ending.asked and not passed:
            passed = True
            watcher.say("asked to end: the running work is being cancelled and recorded")
            for one in watches:
                desk.executor.cancel(work_key(one.known.run), rollback=False)
        if time.monotonic() - listened >= _pause(desk, watches, watcher):
            listened = time.monotonic()
            if spoken():
                return
        if watcher.wake.wait(POLL):
            return
    for one in watches:
        _show(desk, one, watcher)


def _pause(desk: Desk, watches: Sequence[_Watch], watcher: Watcher) -> float:
    """Seconds between two looks at the issues: few while the youngest run is young."""
    youngest = min(_seconds(desk, one.known.run) for one in watches)
    return max(watcher.listen, min(LISTEN_AT_MOST, youngest / EASING[0]))


def _asks_anew(one: _Watch) -> bool:
    """Whether a worker waits for an answer to something that is not on record yet."""
    asked = one.following.progress.asked
    return asked is not None and asked.ordinal > len(one.known.run.questions)


def catch_up(desk: Desk, known: Known, *, watcher: Watcher, followed: Followed) -> None:
    """Show what is left to show of work that has ended, however short it was."""
    _show(desk, _Watch(known, followed.of(desk.executor, work_key(known.run))), watcher)


def _attend(desk: Desk, one: _Watch, watcher: Watcher) -> None:
    _show(desk, one, watcher)
    seconds, told = _seconds(desk, one.known.run), one.following.told
    if seconds - told >= (max(STATUS_EVERY, told / EASING[1]) if told else STATUS_FROM):
        one.following.told = seconds
        _status(desk, one)


def _show(desk: Desk, one: _Watch, watcher: Watcher) -> None:
    new = one.following.look(seconds=_seconds(desk, one.known.run))
    if new is not None:
        watcher.progress(one.known.run.id, new)


def _seconds(desk: Desk, run: Run) -> float:
    """How long an attempt has been at work, by the clock that wrote its start."""
    return max(0.0, (desk.now() - run.start.when).total_seconds()) if run.start else 0.0


def signs_of_life(desk: Desk, runs: Iterable[Run], *, pulse: Pulse, watcher: Watcher) -> None:
    """Show the remote that the runs that are due have an owner; a remote that is away stops nothing."""
    for run in runs:
        if not pulse.due(run.id):
            continue
        try:
            told = bulletin.make(_whole(desk, run), attempt=run.attempt)
            heartbeat.beat(desk.workspace.objects, run.id, word=run.state.value, now=desk.now(), bulletin=told)
        except RunbookError as error:
            watcher.say(f"the remote is away ({error.wrong}); the run goes on")


def _whole(desk: Desk, run: Run) -> Progress:
    """How far a run is, with all of its log that is kept."""
    following = Following(desk.executor, work_key(run))
    return following.look(seconds=_seconds(desk, run)) or following.progress


def _status(desk: Desk, one: _Watch) -> None:
    progress = one.following.progress
    at_work = progress.at_work
    try:
        telling.status(
            desk,
            one.known,
            state="waiting for an answer" if progress.asked else one.known.run.state.value,
            step=at_work.name if at_work else "",
            done=progress.done,
            cells=len(progress.forward),
            seconds=_seconds(desk, one.known.run),
        )
    except RunbookError:
        return
