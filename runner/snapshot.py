"""What `lifecycle.next_actions` reads: the ledger, the forge and the executor at one moment. Nouns alone."""

from __future__ import annotations

from dataclasses import dataclass

from runner.approval.collect import Recordable
from runner.approval.decide import Decision
from runner.approval.halting import Switching
from runner.approval.owed import Owed
from runner.execution.transcript import Asked
from runner.ledger.bodies import Said
from runner.plan.plan import Plan
from runner.plan.run import Run
from runner.ports.executor import WorkState
from runner.ports.forge import CommentId, Thread
from runner.ports.review import Review
from runner.publication.labels import Label
from runner.publication.markers import Kind
from runner.request.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A run on record, and what the outside says of it now.

    Attributes:
        run: folded from the ledger.
        plan: the exact plan.
        thread: its issue as it reads now.
        decision: the newest policy's verdict; None unless the run is planned.
        holder: the run that holds one of its locks, if another does.
        ahead: the runs that may start too and come before it for one of its locks, next one first.
        ours: whether this supervisor's machine owns the start.
        work: what the executor knows of the current attempt.
        died: of dead work, why there is no outcome, as far as the executor knows.
        lost: whether the owner was silent for longer than the lease, on the observer's own clock.
        asked: what its worker waits to know from a person; None unless it waits, on this machine.
        told: what has been said on the issue already.
        label: what the issue should be labelled with and is not; None if it is, or if a newer run speaks for it.
        unassigned: whether somebody has to be found to look after it: nobody is assigned to its issue, or ever was.
        owed: what an emergency that has started still owes.
        halted: the number of the halt in force: nothing may begin then.
        review: where the change is reviewed that it proposes; None unless the run is planned and that has been put up.
    """

    run: Run
    plan: Plan
    thread: Thread
    decision: Decision | None
    holder: str | None
    ours: bool
    work: WorkState
    lost: bool
    told: frozenset[Kind]
    label: Label | None = None
    unassigned: bool = False
    asked: Asked | None = None
    halted: int | None = None
    ahead: tuple[str, ...] = ()
    owed: Owed | None = None
    died: str = ""
    review: Review | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Somebody's command that belongs on the record: `body` is what to append about `run`."""

    run: Run
    plan: Plan
    body: Recordable


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard:
    """A comment that gets an answer instead of an event; `key` makes the answer the only one."""

    thread: Thread
    key: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass:
    """What this machine ran by break-glass and the ledger may not know yet.

    `request` are the words that the person signed, `said` that signature; `work` is what the executor knows of it.
    """

    plan: Plan
    request: str
    said: Said
    work: WorkState


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The forge and the ledger at one moment, as far as something may have to happen.

    `switch` is somebody's halt or unhalt that belongs on the record. `trouble` says what could not be read, in words;
    nothing happens about it, and everything else goes on. `read` are the comments that were there: whoever waits knows
    by them whether somebody has spoken since.
    """

    requests: tuple[Request, ...]
    heard: tuple[Heard, ...]
    unheard: tuple[Unheard, ...]
    runs: tuple[Known, ...]
    switch: Switching | None = None
    trouble: tuple[str, ...] = ()
    read: frozenset[CommentId] = frozenset()
    glass: tuple[Glass, ...] = ()
