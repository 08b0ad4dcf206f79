"""Secrets inside a cell: asked for by name, never printed, never written anywhere by this module.

The runner resolves the names that the header declares and leaves the values in a file that only the kernel's user can
read. In plain Jupyter an author sets an environment variable instead.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class SecretUnavailable(RuntimeError):  # noqa: N818 - authors read it in a notebook: it says what happened
    """No value under this name here; the message says what to do, and never holds a value."""


class Secret(str):
    """Text that does not show itself when it is the last line of a cell. It is plain text everywhere else."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'(secret)'"


def secret(name: str) -> str:
    """Return a secret's value.

    Args:
        name: as the header's `secrets:` declares it, for this kind of cell (`read` or `change`).

    Raises:
        SecretUnavailable: if there is none under this name.
    """
    if not _NAME.fullmatch(name):
        message = f"{name!a} is not the name of a secret"
        raise SecretUnavailable(message)
    path = os.environ.get("RUNBOOK_SECRETS_FILE")
    value = _from_file(path, name) if path else os.environ.get(f"RUNBOOK_SECRET_{name}")
    if not value:
        hint = (
            "Declare it in the header under `secrets:`; cells before the first change cell get only the `read` ones."
            if path
            else f"Outside the runner, set the environment variable RUNBOOK_SECRET_{name} before starting Jupyter."
        )
        message = f"there is no secret {name} here. {hint}"
        raise SecretUnavailable(message)
    return Secret(value)


def _from_file(path: str, name: str) -> str | None:
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        message = "the file of secrets that the runner made cannot be read"
        # The cause would show the file's text in a traceback.
        raise SecretUnavailable(message) from None
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) else None
