"""Secrets from the worker's own environment: `RUNBOOK_SECRET_<NAME>`. The kernel never inherits that environment."""

from __future__ import annotations

from collections.abc import Mapping

from runner.adapters.secrets import document
from runner.errors import OperatorError
from runner.ports.secrets import VARIABLE

PREFIX = VARIABLE


class EnvironmentSecrets:
    """Reads secrets from variables.

    Args:
        environment: the variables to read.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def ready(self) -> None:
        """There is nothing to open."""

    def resolve(self, name: str) -> str:
        """Return a secret's value.

        Raises:
            OperatorError: if the name is not one, or the variable is missing or empty.
        """
        doing = document.doing(name)
        value = self._environment.get(PREFIX + name)
        if not value:
            raise OperatorError(doing, f"the variable {PREFIX}{name} is not set", hint="set it for the worker")
        return value
