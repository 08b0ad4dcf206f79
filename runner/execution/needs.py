"""What an order needs before any cell of it: the secrets that it names, and the environment of its lock file.

Where one of them cannot be had, nothing is started, and the reason says who acts next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.digest import sha256
from runner.errors import IntegrityError, OperatorError, OutsideError, RunbookError
from runner.execution import environments
from runner.execution.environments import Built, UnbuiltError
from runner.execution.order import Mode, Order
from runner.execution.outcome import ExitReason
from runner.execution.redact import Masker
from runner.ports.secrets import Secrets
from runner.runbook.cells import Cell

LOCK = "environment.lock"
"""What the lock file is called beside an order."""
UNAVAILABLE = frozenset({ExitReason.SECRET_UNAVAILABLE, ExitReason.STORE_AWAY, ExitReason.ENVIRONMENT_UNAVAILABLE})
"""How an order ends whose needs cannot be met."""


class UnavailableError(RunbookError):
    """Something that the order needs cannot be had, so no cell was executed; the hint goes with what is wrong."""

    def __init__(self, error: RunbookError, reason: ExitReason) -> None:
        wrong = f"{error.wrong}; {error.hint}" if error.hint else error.wrong
        super().__init__(error.doing, wrong)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where needs are met: the secret stores, the folder of this machine's environments, and whether to stop."""

    secrets: Secrets
    environments: Path
    stopped: Callable[[], bool]


def environment(spool: Path, order: Order, *, sources: Sources) -> Built | None:
    """The environment that the order names; None for the runner's own packages.

    Raises:
        IntegrityError: if the lock file beside the order is not the approved one.
        UnavailableError: if it cannot be built.
    """
    if order.environment_lock is None:
        return None
    path = spool / LOCK
    content = path.read_bytes() if path.is_file() else b""
    if sha256(content) != order.environment_lock:
        raise IntegrityError("checking the work order", "the lock file beside it is not the one that it names")
    try:
        return environments.provide(sources.environments, content, stopped=sources.stopped)
    except UnbuiltError as error:
        raise UnavailableError(error, ExitReason.ENVIRONMENT_UNAVAILABLE) from error


def secrets(order: Order, *, cells: Sequence[Cell], sources: Sources) -> dict[str, str]:
    """The secrets that the order may have.

    Raises:
        UnavailableError: if one cannot be had, or cannot be kept secret here.
    """
    names = (*order.read_secrets, *(() if order.mode is Mode.REHEARSE else order.change_secrets))
    public = (*(cell.source for cell in cells), order.injected)
    return {name: _resolved(name, public=public, store=sources.secrets) for name in dict.fromkeys(names)}


def _resolved(name: str, *, public: Sequence[str], store: Secrets) -> str:
    try:
        value = store.resolve(name)
        Masker({name: value})
    except OperatorError as error:
        raise UnavailableError(error, ExitReason.SECRET_UNAVAILABLE) from error
    except OutsideError as error:
        raise UnavailableError(error, ExitReason.STORE_AWAY) from error
    if any(value in text for text in public):
        # The notebook is kept byte for byte, so what stands in it cannot be masked.
        wrong = OperatorError(f"taking the secret {name}", "its value stands in the runbook or its parameters")
        raise UnavailableError(wrong, ExitReason.SECRET_UNAVAILABLE)
    return value
