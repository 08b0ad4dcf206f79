"""The work order: all that a worker needs for one execution. It names secrets and never holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import msgspec

from runner.digest import Digest, Json, Wire
from runner.execution.sandbox import Limits


class Mode(Enum):
    """Which cells an order executes."""

    PREPARE = "prepare"
    """None: only what a run would need is made ready, secrets and environment, to learn whether it can be had."""
    REHEARSE = "rehearse"
    RUN = "run"
    REVERT = "revert"
    """What looks, then the rollback cells of an earlier run's changes, then what looks once more."""


ACTING = frozenset({Mode.RUN, Mode.REVERT})
"""Modes that change something: they need an open start, and get the secrets to change with."""


class Order(Wire):
    """A signed order's payload (DSSE payload type `application/vnd.runbook.order+json`).

    `notebook` is the digest of the runbook's bytes, which travel beside the order. `injected` is the exact source of
    the injected-parameters cell. `plan_outputs` is what the rehearsal saw, for the second look. Times are seconds.
    """

    mode: Mode
    run: str
    attempt: int
    plan_digest: Digest | None
    start: int | None
    nonce: str
    repository: str
    """The clone to read the ledger from; empty for a rehearsal."""
    notebook: Digest
    injected: str
    parameters: dict[str, Json]
    read_secrets: tuple[str, ...]
    change_secrets: tuple[str, ...]
    network: bool
    write: tuple[str, ...]
    timeout: float
    cell_timeout: float
    toolkit: Digest
    isolation: str
    """The least isolation that policy accepts; a worker that cannot give it refuses."""
    fingerprint: Digest | None
    plan_outputs: dict[str, str]
    """Cell id of each plan cell to its redacted, normalised output in the rehearsal."""
    environment: dict[str, str]
    """Plain variables for the kernel, such as RUNBOOK_RUN_ID and RUNBOOK_FENCE."""
    files: dict[str, Digest] = msgspec.field(default_factory=dict)
    """Name and digest of each file that the rehearsal left for the run; they travel beside the order."""
    environment_lock: Digest | None = None
    """Digest of the lock file, which travels beside the order; None for the runner's own packages."""
    done: dict[str, int] = msgspec.field(default_factory=dict)
    """Id of each cell that an earlier attempt was answered ok for and that is not repeated, and that attempt."""
    records: dict[str, Json] = msgspec.field(default_factory=dict)
    """Results that were recorded before: by earlier attempts, or by the run that is reverted."""
    moved_by_us: bool = False
    """Changes of an earlier attempt may be in place, so that the plan cells are recorded and not compared."""
    undo: tuple[str, ...] = ()
    """Of a revert: ids of the change cells whose rollback cells run, last first."""
    restored: dict[str, str] = msgspec.field(default_factory=dict)
    """Of a revert: what the plan cells showed before the run that is reverted, which they have to show again."""
    read: tuple[str, ...] = ()
    processes: str = "own"
    """Whether the cells see `own` processes only, or those of the `host`."""
    limits: Limits = Limits()
    proposes: tuple[str, ...] = ()
    """Globs of the files in Git that the plan cells may propose to change."""
    present: Digest | None = None
    """Digest of the files that those globs open, as the plan has them; they travel beside the order."""
    merged: Digest | None = None
    """The same at the merged commit, for all cells from the first change on; None where nothing was proposed."""
    break_glass: bool = False
    """The remote is away: there is no start to look for, and nothing that the plan cells could be compared with."""
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What an attempt is given of what happened before it, by earlier attempts or by the run that it reverts.

    The fields are those of the order.
    """

    done: Mapping[str, int] = field(default_factory=dict)
    records: Mapping[str, Json] = field(default_factory=dict)
    moved_by_us: bool = False
    undo: tuple[str, ...] = ()
    restored: Mapping[str, str] = field(default_factory=dict)


NOTHING = Carried()
"""A first attempt is given nothing."""

PAYLOAD_TYPE = "application/vnd.runbook.order+json"
