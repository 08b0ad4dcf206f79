"""What passes between the engine and whoever keeps the record: how a cell ended, and the questions asked meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from runner.digest import Json
from runner.execution.phases import Step
from runner.execution.replies import Verdict
from runner.execution.stopping import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one cell ended, with what it showed (nbformat outputs, not masked) and the kernel's execution count.

    `tried` says how often it was sent, `alive` whether its kernel is still there.
    """

    verdict: Verdict
    outputs: tuple[dict[str, Json], ...]
    count: int | None
    tried: int = 1
    alive: bool = True


class Begin(Enum):
    """Whether a cell may begin."""

    GO = "go"
    SKIP = "skip"
    STOP = "stop"


class Listener(Protocol):
    """Who is told what happens, and asked whether it may go on."""

    def begins(self, step: Step) -> Begin:
        """Whether the cell is to be sent; if it is skipped, that is durable when this returns."""
        ...

    def began(self, step: Step, *, tried: int = 1) -> None:
        """The cell is about to be sent to the kernel, for the first time or again; durable when this returns."""
        ...

    def shows(self, message: Mapping[str, Any]) -> None:
        """The kernel sent something while the cell runs: for people who watch; what counts comes with `ended`."""
        ...

    def failed(self, step: Step, ended: Ended) -> None:
        """A try failed and the cell will be tried again; durable when this returns."""
        ...

    def ended(self, step: Step, ended: Ended) -> bool:
        """The cell ended, durable when this returns; say whether later cells may run."""
        ...

    def cause(self, step: Step, *, since: float | None) -> Cause | None:
        """Why the cell has to stop; or, while it has not begun (`since` is None), why it may not begin."""
        ...

    def timeout(self, step: Step) -> float | None:
        """The cell's own limit in seconds, None for none."""
        ...

    def clock(self) -> float:
        """Monotonic seconds."""
        ...
