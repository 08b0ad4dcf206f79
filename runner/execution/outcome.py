"""The outcome: how an attempt or a rehearsal ended, cell by cell. A failed run is data, not an exception."""

from __future__ import annotations

from enum import Enum

import msgspec

from runner.digest import Digest, Json, Wire
from runner.ledger.bodies import QuestionKind, Rollback, Status


class Fate(Enum):
    """What is known of one cell; `ok` only ever comes from the kernel's own reply.

    `skipped` is a decision: the cell was not to run, and `CellFate.why` says why. `not_run` was just not reached.
    """

    NOT_RUN = "not_run"
    SKIPPED = "skipped"
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    UNKNOWN = "unknown"


class ExitReason(Enum):
    """Why the execution stopped."""

    ALL_CELLS_RAN = "all_cells_ran"
    CELL_ERROR = "cell_error"
    STEP_FAILED = "step_failed"
    CELL_TIMEOUT = "cell_timeout"
    RUN_TIMEOUT = "run_timeout"
    KERNEL_DIED = "kernel_died"
    KERNEL_NOT_STARTED = "kernel_not_started"
    EARLY_EXIT = "early_exit"
    STATE_MOVED = "state_moved"
    NOT_RESTORED = "not_restored"
    SECRET_UNAVAILABLE = "secret_unavailable"  # noqa: S105 - a reason's name, not a password
    STORE_AWAY = "store_away"
    ENVIRONMENT_UNAVAILABLE = "environment_unavailable"
    DECLINED = "declined"
    """Somebody answered a confirmation with no."""
    UNANSWERED = "unanswered"
    """Nobody answered a question in time."""
    CANCELLED = "cancelled"
    WITHHELD = "withheld"
    INTERNAL_ERROR = "internal_error"


class CellFate(Wire):
    """One code cell's fate. Times in seconds; `started` counts from the start of the attempt on a monotonic clock.

    `tries` says how often it was sent to the kernel, and `seconds` spans them all. `why` is the reason of a cell that
    was skipped.
    """

    index: int
    id: str
    role: str
    name: str
    phase: str  # forward | rollback | always
    fate: Fate
    started: float | None = None
    seconds: float | None = None
    error: str = ""
    why: str = ""
    tries: int = 1


class Answered(Wire):
    """A person's answer that the attempt went on with. `event` is the number of the answer event.

    An answer that gives a parameter its value has a cell of its own, `cell`, right before the one that asked (`index`).
    """

    ordinal: int
    event: int
    by: str
    kind: QuestionKind
    asked_by: str
    parameter: str
    value: Json
    index: int
    cell: str = ""
    source: str = ""


def began(cell: CellFate) -> bool:
    """Say whether a cell was sent to the kernel, however it ended."""
    return cell.fate not in {Fate.NOT_RUN, Fate.SKIPPED}


DONE_BEFORE = "done in attempt "
"""How the reason begins why a cell is skipped that an earlier attempt was answered ok for."""


def done_before(cell: CellFate) -> bool:
    """Say whether a cell is skipped because an earlier attempt was answered ok for it."""
    return cell.fate is Fate.SKIPPED and cell.why.startswith(DONE_BEFORE)


class Redaction(Wire):
    """What was masked: the secret's name or the pattern's, how often, and in which cells or files."""

    rule: str
    count: int
    where: tuple[str, ...]


class Artifact(Wire):
    """An output too large for the notebook, kept beside it under its own digest."""

    path: str
    sha256: Digest
    size: int
    media_type: str
    cell: int


class Environment(Wire):
    """What the cells ran in."""

    python: str
    kernel: str
    platform: str
    packages: Digest
    """Digest over the sorted `name==version` lines of the kernel's environment."""
    toolkit: Digest
    lock: Digest | None = None
    """Digest of the lock file that the packages were installed from; None for the runner's own."""


class Outcome(Wire):
    """The worker's sealed word on one execution. `notebook` and `artifacts` name files that lie beside it."""

    status: Status
    exit_reason: ExitReason
    rollback: Rollback
    started_at: str
    finished_at: str
    seconds: float
    message: str
    isolation: str
    environment: Environment
    cells: tuple[CellFate, ...]
    fingerprint: Digest | None
    """Digest over the redacted, normalised outputs of the plan cells; None where there are none."""
    moved: str
    """A unified diff of plan outputs, where the state moved between plan and run; else empty."""
    records: dict[str, Json]
    artifacts: tuple[Artifact, ...]
    redactions: tuple[Redaction, ...]
    withheld: bool
    """The scan gate found something that masking did not: the outputs are not in the notebook."""
    notebook: Digest
    plan_outputs: dict[str, str] = msgspec.field(default_factory=dict)
    """Cell id of each plan cell to its redacted, normalised text: what `fingerprint` is the digest of."""
    answers: tuple[Answered, ...] = ()
    restored: bool | None = None
    """Of a revert: whether the state shows the fingerprint that it had before; None where nothing could show it."""
    schema: int = 1
