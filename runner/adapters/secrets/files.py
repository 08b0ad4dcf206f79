"""Secrets from a folder: one file for each, named as the secret, readable by nobody but the worker's own user."""

from __future__ import annotations

from pathlib import Path

from runner import private
from runner.adapters.secrets import document


class FileSecrets:
    """Reads secrets from files.

    Args:
        folder: where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ready(self) -> None:
        """It is a folder: there is nothing to open, and what is not in it is said for each secret."""

    def resolve(self, name: str) -> str:
        """Return a secret's value, without one final newline.

        Raises:
            OperatorError: if there is no such file, it is a link, others may read it, it is not ours, or not text.
        """
        doing = document.doing(name)
        return private.read(
            self._folder / name, doing=doing, absent="there is no such file", hint="put it there, mode 0600"
        )
