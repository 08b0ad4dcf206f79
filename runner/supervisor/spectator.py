"""The spectator: follows one run from wherever it can be seen, without a key and without changing anything.

On the machine where the run's worker is, through its spool; on any other, through the bulletins of the owner's signs of
life. Those are somebody's word, so they only ever make a picture: where the run stands is read from the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from runner.digest import parse
from runner.errors import OutsideError, RequestError
from runner.evidence import layout
from runner.evidence.manifest import Manifest
from runner.execution.progress import Progress, Said
from runner.plan.run import RunState
from runner.ports.executor import WorkState
from runner.snapshot import Known
from runner.supervisor import heartbeat
from runner.supervisor.bulletin import Bulletin
from runner.supervisor.desk import Desk, reading_desk
from runner.supervisor.following import Followed
from runner.supervisor.gather import look, work_key
from runner.wiring import Workspace

RECORD_EVERY = 2.0
"""Seconds between two looks at the record and, from elsewhere, at the owner's signs of life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is seen of a run. `progress` is what is new of its execution; `words` is what stands in the way of more."""

    known: Known
    progress: Progress | None
    words: str = ""


class Spectator:
    """Follows one run.

    Args:
        workspace: any clone of the project.
        name: the run's id, or enough of its beginning; empty for the only run that is under way.
        now: the wall clock.

    Raises:
        RequestError: if that is no run, or more than one.
    """

    def __init__(self, workspace: Workspace, name: str, *, now: Callable[[], datetime]) -> None:
        self._workspace, self._now = workspace, now
        self._followed = Followed()
        self._told: Bulletin | None = None
        self._heard: tuple[Said, ...] = ()
        self._looked = time.monotonic()
        with self._desk() as desk:
            self._known = _named(desk, name)

    def view(self) -> View:
        """Look once."""
        at = time.monotonic()
        due = at - self._looked >= RECORD_EVERY
        if due:
            self._looked = at
            with self._desk() as desk:
                self._known = next(iter(look(desk, run=self._known.run.id)), self._known)
        known = self._known
        if known.run.state is RunState.FINISHED:
            return View(known=known, progress=self._sealed(known))
        if known.run.state is not RunState.STARTED:
            return View(known=known, progress=None)
        if known.ours and self._workspace.executor().state(work_key(known.run)) is not WorkState.UNKNOWN:
            following = self._followed.of(self._workspace.executor(), work_key(known.run))
            return View(known=known, progress=following.look(seconds=self._seconds()))
        return self._from_elsewhere(known) if due else View(known=known, progress=None)

    def _desk(self) -> AbstractContextManager[Desk]:
        return reading_desk(self._workspace, now=self._now)

    def _seconds(self) -> float:
        start = self._known.run.start
        return max(0.0, (self._now() - start.when).total_seconds()) if start else 0.0

    def _sealed(self, known: Known) -> Progress | None:
        """How it was at the end: the last that was seen from elsewhere may be older, and the record has it whole."""
        commit = self._workspace.objects.tip(self._workspace.settings.evidence_branch) or ""
        data = self._workspace.objects.read(commit, layout.manifest_file(known.run.id, known.run.attempt))
        return Progress(key=work_key(known.run), cells=parse(Manifest, data).result.cells) if data else None

    def _from_elsewhere(self, known: Known) -> View:
        try:
            told = heartbeat.heard(self._workspace.objects, known.run.id)
        except OutsideError as error:
            return View(known=known, progress=None, words=f"the remote is away ({error.wrong}); looking again")
        if told is None or told == self._told or told.attempt != known.run.attempt:
            return View(known=known, progress=None)
        self._told = told
        words = f"the log is withheld: it holds what looks like a credential ({told.withheld})" if told.withheld else ""
        return View(known=known, progress=self._new(told, key=work_key(known.run)), words=words)

    def _new(self, told: Bulletin, *, key: str) -> Progress:
        """What a bulletin tells beyond the one before: each repeats the end of the log."""
        new = _after(told.said, self._heard)
        self._heard = told.said or self._heard
        return Progress(key=key, cells=told.cells, said=new, seconds=told.seconds)


def _named(desk: Desk, name: str) -> Known:
    doing = "finding the run to watch"
    if name and (exact := look(desk, run=name)):
        return exact[0]
    found = [one for one in look(desk) if (one.run.id.startswith(name) if name else not one.run.over)]
    if len(found) == 1:
        return found[0]
    several = ", ".join(one.run.id for one in found)
    wrong = f"{'several are meant' if name else 'several are under way'}: {several}" if found else "there is none"
    raise RequestError(doing, wrong, hint="name one by its id: `runbook status` and `runbook log` list them")


def _after(said: Sequence[Said], before: Sequence[Said]) -> tuple[Said, ...]:
    """What was said after the last word that is known already; all of it where that is too long ago."""
    last = before[-1] if before else None
    place = next((place for place in reversed(range(len(said))) if said[place] == last), -1)
    return tuple(said[place + 1 :])
