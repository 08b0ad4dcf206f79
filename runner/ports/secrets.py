"""Secret stores: a name goes in, a value comes out, in the worker only."""

from __future__ import annotations

from typing import Protocol

VARIABLE = "RUNBOOK_SECRET_"
"""How the variables of a worker's environment begin that hold a secret; its name follows."""


class Store(Protocol):
    """One store."""

    def resolve(self, name: str) -> str:
        """As `Secrets`."""
        ...

    def ready(self) -> None:
        """Find out whether this machine can open it, as far as that can be done without reading a secret.

        Raises:
            OperatorError: if what opens it is missing or refused.
            OutsideError: if it is sealed or away.
        """
        ...


class Secrets(Protocol):
    """One or several stores, asked in their configured order."""

    def resolve(self, name: str) -> str:
        """Return a secret's value.

        Raises:
            OperatorError: if no store has it, or one refuses (a readable file, an empty value); never with the value.
            OutsideError: if a store is sealed or away, so that nobody can say whether it has it.
        """
        ...
