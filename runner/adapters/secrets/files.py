"""Secrets from a folder: one file for each, named as the secret, readable by nobody but the worker's own user."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from runner.errors import OperatorError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
LARGEST = 64 * 1024
"""Bytes of the largest value."""


class FileSecrets:
    """Reads secrets from files.

    Args:
        folder: where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def resolve(self, name: str) -> str:
        """Return a secret's value, without one final newline.

        Raises:
            OperatorError: if there is no such file, it is a link, others may read it, it is not ours, or not text.
        """
        doing = f"reading the secret {name}"
        if not _NAME.fullmatch(name):
            raise OperatorError(doing, "that is not a secret's name")
        try:
            handle = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise OperatorError(
                doing, f"there is no such file ({error.strerror})", hint="put it there, mode 0600"
            ) from None
        try:
            _check(os.fstat(handle), doing=doing)
            data = os.read(handle, LARGEST + 1)
        finally:
            os.close(handle)
        return _text(data, doing=doing)


def _check(status: os.stat_result, *, doing: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OperatorError(doing, "it is not a regular file")
    if status.st_uid != os.geteuid():
        raise OperatorError(doing, "the file belongs to somebody else", hint="chown it to the worker's user")
    if stat.S_IMODE(status.st_mode) not in {0o600, 0o400}:
        raise OperatorError(doing, "others may read or write the file", hint="chmod 600 it, and change the secret")


def _text(data: bytes, *, doing: str) -> str:
    if len(data) > LARGEST:
        raise OperatorError(doing, f"it is larger than {LARGEST} bytes")
    try:
        value = data.decode("utf-8").removesuffix("\n")
    except UnicodeDecodeError:
        raise OperatorError(doing, "it is not text", hint="keep binary secrets as base64") from None
    if not value or "\0" in value:
        raise OperatorError(doing, "the file is empty or not text")
    return value
