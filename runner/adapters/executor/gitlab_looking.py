"""What became of a job: GitLab is asked gently, silence proves nothing, and what a job left is a claim to be checked.

Nothing but GitLab's own word that a job has ended ends it here. Then there is a result that can be what the order leads
to, or the reason why there is none; a job that no runner ever had is an outcome too, in which no cell ran.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runner.adapters.executor.errands import Ended, Errand, Given
from runner.adapters.executor.gitlab_pipelines import Job, Pipelines
from runner.errors import IntegrityError, OperatorError, OutsideError
from runner.ports import pipeline

PAUSES = (1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0)
"""Seconds between two looks at a job: the longer it takes, the rarer; the last one again and again."""
PATIENCE = 300.0
"""Seconds after which a job that GitLab does not show any more is given up."""
_FAILURES = {
    "stuck_or_timeout_failure": "GitLab gave it up, because no runner took it or its runner was lost",
    "runner_system_failure": "its runner failed",
    "job_execution_timeout": "it took longer than GitLab lets it",
    "no_matching_runner": "there is no runner with its tag",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the executor cannot know by itself.

    `zone` gives the tag of the runners that reach a target, or None. `sign` makes a signed envelope of a payload and
    its type; `opened` opens one that this project's runner signed, or raises IntegrityError. `check` raises
    IntegrityError if files that came back are not what an order that was sent can lead to; `nothing` makes the files of
    an order of which no cell ran, given what was sent, why, and whether it was cancelled. `now` is the clock in UTC.
    """

    zone: Callable[[str], str | None]
    sign: Callable[[bytes, str], bytes]
    opened: Callable[[bytes, str], bytes]
    check: Callable[[Mapping[str, bytes], Mapping[str, bytes]], None]
    nothing: Callable[[Mapping[str, bytes], str, bool], Mapping[str, bytes]]
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class _Poll:
    """When a job is looked at next, in seconds of the monotonic clock, and since when GitLab does not show it."""

    looks: int = 0
    due: float = 0.0
    gone: float | None = None

    def later(self, at: float) -> None:
        self.due = at + PAUSES[min(self.looks, len(PAUSES) - 1)]
        self.looks += 1


_POLLS: dict[Path, _Poll] = {}
"""By errand, for as long as the process lives: whoever looks, GitLab is not asked more often."""


def look(errand: Errand, given: Given, *, pipelines: Callable[[], Pipelines], outside: Outside) -> None:
    """Look at a job, unless that was done a moment ago, and note how it ended if it did.

    Args:
        errand: whose job it is.
        given: which job.
        pipelines: where it is; asked for only if it is looked at.
        outside: what is decided elsewhere.
    """
    poll, at = _POLLS.setdefault(errand.folder, _Poll()), outside.clock()
    if at < poll.due:
        return
    poll.later(at)
    there = pipelines()
    try:
        job = there.job(given.job)
        if job is None:
            _gone(errand, poll, at=at, what=f"job {given.job}")
            return
        if job.ended:
            _end(errand, job, pipelines=there, outside=outside)
        poll.gone = None
    except OutsideError:
        return  # nothing is concluded from silence
    except OperatorError:
        # It has ended, and what it left is kept from us: nobody else's run may wait for that.
        _gone(errand, poll, at=at, what=f"what job {given.job} left")


def _gone(errand: Errand, poll: _Poll, *, at: float, what: str) -> None:
    """Give up what GitLab has not shown for a while; it may be a mistake that somebody corrects soon."""
    poll.gone = at if poll.gone is None else poll.gone
    if at - poll.gone >= PATIENCE:
        errand.end(Ended(result=False, why=f"GitLab does not show {what} any more"))


def _end(errand: Errand, job: Job, *, pipelines: Pipelines, outside: Outside) -> None:
    given = errand.given
    if given is None:
        return
    how = _words(given.job, job)
    if not job.began and job.status != "success":
        cancelled = given.cancelled or job.status == "canceled"
        errand.end(Ended(result=False, nothing_ran=True, cancelled=cancelled, why=f"{how}, before it began"))
        return
    data = pipelines.result(given.job)
    if data is None:
        errand.end(Ended(result=False, why=f"{how}, and left no result"))
        return
    try:
        told = pipeline.unpacked(data, order=errand.order, job=given.job)
        if told.problem:
            errand.end(Ended(result=False, why=f"{how}: {' '.join(told.problem.split())[:300]}"))
            return
        outside.check(errand.files(), pipeline.contents(told))
    except IntegrityError as error:
        errand.end(Ended(result=False, why=f"{how}, and what it left is not believed: {error.wrong}"))
        return
    errand.end(Ended(result=True), result=data)


def _words(number: int, job: Job) -> str:
    if job.status == "canceled":
        return f"job {number} was cancelled in GitLab"
    if job.status == "failed":
        return f"job {number} failed in GitLab ({_FAILURES.get(job.failure, job.failure or 'no reason given')})"
    return f"job {number} ended in GitLab as {job.status}"


def soon(errand: Errand) -> None:
    """Look again at once: something was done about the job, or it is forgotten."""
    _POLLS.pop(errand.folder, None)
