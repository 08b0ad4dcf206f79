"""Files that only their owner may read: secrets, and what opens a secret store or vouches for a delivery."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from runner.errors import OperatorError

LARGEST = 64 * 1024
"""Bytes of the largest value."""


def read(path: Path, *, doing: str, absent: str, hint: str) -> str:
    """Read a private file, without one final newline.

    Args:
        path: the file.
        doing: what is being done, for errors.
        absent: what to say if it is not there.
        hint: what to do then.

    Raises:
        OperatorError: if there is no such file, it is a link, others may read it, it is not ours, or not text.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise OperatorError(doing, f"{absent} ({error.strerror})", hint=hint) from None
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
