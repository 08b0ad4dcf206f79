"""The executor: where work orders are carried out.

Submitting and collecting are two calls so that a killed supervisor can pick up where it was. Everything that crosses is
bytes that the supervisor signed or that the worker sealed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class WorkState(Enum):
    """What an executor knows of one piece of work."""

    UNKNOWN = "unknown"
    """Never heard of it here: it was not submitted, or it belongs to another host."""
    SUBMITTED = "submitted"
    """The order lies ready and no worker has claimed it: submitting again is safe."""
    RUNNING = "running"
    """A worker has claimed it and lives, or was started here a moment ago and is about to."""
    SEALED = "sealed"
    """The outcome is complete and durable."""
    DEAD = "dead"
    """A worker claimed it and is gone without an outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One piece of work: `key` (`<run id>/<attempt>` or `<run id>/rehearsal`), and the `files` that a worker needs.

    What is of one `kind` can be carried out by a worker that was made ready for another of that kind; empty for none.
    `targets` and `locks` are the plan's: they say where a worker has to be, and which others it must not meet.
    `seconds` is how long it may take altogether; 0 for no limit.
    """

    key: str
    files: Mapping[str, bytes]
    kind: str = ""
    targets: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    seconds: float = 0.0


class Executor(Protocol):
    """What is asked of an executor."""

    @property
    def name(self) -> str:
        """`local`, `gitlab-ci`, ...: recorded in plan and start."""
        ...

    @property
    def isolation(self) -> str:
        """The least isolation that cells need there, whatever policy says: a plan asks for no less."""
        ...

    def refuses(self, *, targets: Sequence[str], questions: bool) -> str:
        """Say why work cannot be carried out there; empty if it can. Asked when planning.

        Args:
            targets: what the run acts on.
            questions: whether its worker may ask something while it runs.
        """
        ...

    def submit(self, work: Work) -> None:
        """Make the work durable, then start a worker on it; repeating it never makes a second worker execute.

        Raises:
            OutsideError: if it could not be made durable or no worker could be started.
        """
        ...

    def state(self, key: str) -> WorkState:
        """Say where a piece of work stands."""
        ...

    def why(self, key: str) -> str:
        """Say what is known of why a dead one's work has no outcome; empty for nothing."""
        ...

    def collect(self, key: str) -> Mapping[str, bytes]:
        """Return every file that the worker left: all of a sealed outcome, or what is durable of a dead one's work."""
        ...

    def progress(self, key: str, *, since: int = 0) -> bytes:
        """Return the transcript as far as it is durable, from a byte on."""
        ...

    def live(self, key: str, *, since: int) -> tuple[bytes, int]:
        """Return the live log from a place on, masked, and the place from which to ask next; empty where there is none.

        Args:
            key: the work's.
            since: 0, or what the last call returned. What is too old to be kept is passed over.
        """
        ...

    def cancel(self, key: str, *, rollback: bool) -> None:
        """Ask the worker to end; a sealed or dead one is left alone."""
        ...

    def deliver(self, key: str, name: str, data: bytes) -> None:
        """Put a file before a running worker, whole or not at all; doing it again changes nothing.

        Raises:
            OutsideError: if it could not be made durable.
        """
        ...

    def kept(self) -> tuple[str, ...]:
        """Name every piece of work that is kept here, in any state."""
        ...

    def prepare(self) -> None:
        """Make ready for the next work what can be made ready; for a moment in which nothing else is to be done."""
        ...

    def close(self) -> None:
        """Let go what was made ready. Work that was handed over goes on."""
        ...

    def forget(self, key: str) -> None:
        """Remove what is kept, once the evidence is on the remote."""
        ...
