"""What a command on this machine says to a long-lived `runbook reconcile`, and what that answers.

A command that finds one wakes it and shows what it does, instead of starting everything once more. Whatever goes wrong
with that, the command does the work itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from runner.cli.progress import watching
from runner.cli.supervise import REQUESTER_NEXT, Standing, answer, exit_code, standing

if TYPE_CHECKING:
    from runner.execution.progress import Progress
    from runner.snapshot import Snapshot
    from runner.supervisor.bell import Bell
    from runner.supervisor.ringing import Ring
    from runner.supervisor.watcher import Watcher
    from runner.wiring import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of a request so far: where its runs stand, or why it was refused; and the exit code for that.

    `clone` is whose work tree shows the evidence.
    """

    runs: tuple[Standing, ...]
    refused: str
    code: int
    clone: str


def came_of(workspace: Workspace, snapshot: Snapshot, *, ring: Ring) -> Came:
    """What came of one request."""
    mine = [known for known in snapshot.runs if known.plan.requested.comment == ring.comment]
    key = f"{workspace.settings.forge}:{workspace.settings.project}:{ring.comment}:1"
    return Came(
        runs=tuple(standing(known) for known in mine),
        refused="" if mine else answer(workspace, ring.issue, key),
        code=exit_code(mine) if mine else REQUESTER_NEXT,
        clone=str(workspace.repository.path),
    )


def rung(workspace: Workspace, ring: Ring, *, quiet: bool, log: bool) -> Came | None:
    """Have a running reconcile do it, if there is one; None if there is none, or it went away."""
    from runner.supervisor import ringing

    call = ringing.ring(workspace.state / ringing.NAME, ring)
    if call is None:
        return None
    # What is needed to show it is loaded only now, while the supervisor is at work.
    with watching(quiet=quiet, log=log) as watcher:
        value = call.listen(watcher)
    if value is None:
        return None
    came = msgspec.convert(value, Came)
    if came.clone != str(workspace.repository.path):
        from runner.evidence.view import refresh

        fresh = workspace.refreshed()
        refresh(fresh.objects, branch=fresh.settings.evidence_branch)
    return came


@contextmanager
def hung(workspace: Workspace) -> Iterator[Bell | None]:
    """A bell for the length of one command; None where another one is answered, or none can be had."""
    from runner.supervisor.bell import Bell
    from runner.supervisor.ringing import NAME, answered

    file = workspace.state / NAME
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        bell = None if answered(file) else Bell(file)
    except OSError:
        bell = None
    try:
        yield bell
    finally:
        if bell:
            bell.close()


def answering(bell: Bell, watcher: Watcher, *, workspace: Callable[[], Workspace]) -> Watcher:
    """A watcher that also tells whoever rang, and lets them go as soon as their runs are over."""

    def say(text: str) -> None:
        watcher.say(text)
        bell.say(text)

    def progress(run: str, so_far: Progress) -> None:
        watcher.progress(run, so_far)
        bell.progress(run, so_far)

    def seen(snapshot: Snapshot) -> None:
        over = [known.plan.requested.comment for known in snapshot.runs if known.run.over]
        for ring in bell.callers():
            if ring.comment in over:
                let_go(bell, ring, snapshot, workspace=workspace())

    return replace(watcher, say=say, progress=progress, seen=seen, wake=bell.rung)


def let_go(bell: Bell, ring: Ring, snapshot: Snapshot, *, workspace: Workspace) -> None:
    """Tell a caller what came of it, once the evidence is in the work tree."""
    from runner.evidence.view import refresh

    refresh(workspace.objects, branch=workspace.settings.evidence_branch)
    bell.end(ring, msgspec.to_builtins(came_of(workspace, snapshot, ring=ring)))


def let_all_go(bell: Bell, waiting: Iterable[Ring], snapshot: Snapshot, *, workspace: Workspace) -> None:
    """At the end of a round: tell those who waited before it and still do what came of their requests."""
    for ring in waiting:
        if ring in bell.callers():
            let_go(bell, ring, snapshot, workspace=workspace)
