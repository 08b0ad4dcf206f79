"""Secrets from the worker's own environment: `RUNBOOK_SECRET_<NAME>`. The kernel never inherits that environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runner.errors import OperatorError

PREFIX = "RUNBOOK_SECRET_"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class EnvironmentSecrets:
    """Reads secrets from variables.

    Args:
        environment: the variables to read.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def resolve(self, name: str) -> str:
        """Return a secret's value.

        Raises:
            OperatorError: if the name is not one, or the variable is missing or empty.
        """
        doing = f"reading the secret {name}"
        if not _NAME.fullmatch(name):
            raise OperatorError(doing, "that is not a secret's name")
        value = self._environment.get(PREFIX + name)
        if not value:
            raise OperatorError(doing, f"the variable {PREFIX}{name} is not set", hint="set it for the worker")
        return value
