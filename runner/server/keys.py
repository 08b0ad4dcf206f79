"""What vouches for deliveries, from private files of the machine: never from the repository, whose readers are many."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from runner import private
from runner.errors import OperatorError
from runner.server.delivery import Keys

SIGNING, TOKEN = "webhook-signing", "webhook-token"
"""Files of the state folder: signing tokens of the webhook, a line each (two while one replaces the other); and the
older plain token, which counts only if the file is there."""
_PREFIX = "whsec_"


def read(folder: Path) -> Keys:
    """Read them.

    Raises:
        OperatorError: if there is none, others may read it, or a line is no signing token; the token is not in it.
    """
    doing = "reading what vouches for webhooks"
    hint = f"put the webhook's signing token ({_PREFIX}...) into {folder / SIGNING}, mode 0600"
    signing = _private(folder / SIGNING, doing=doing, hint=hint).split()
    token = _private(folder / TOKEN, doing=doing, hint=hint)
    if not signing and not token:
        raise OperatorError(doing, "there is neither a signing token nor a plain one", hint=hint)
    for number, line in enumerate(signing, start=1):
        if not _is_key(line):
            raise OperatorError(doing, f"line {number} of {SIGNING} is no signing token", hint=hint)
    return Keys(signing=tuple(signing), token=token)


def _private(file: Path, *, doing: str, hint: str) -> str:
    return (
        private.read(file, doing=f"{doing} from {file.name}", absent="it is gone", hint=hint) if file.exists() else ""
    )


def _is_key(line: str) -> bool:
    try:
        raw = base64.b64decode(line.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return False
    return line.startswith(_PREFIX) and len(raw) >= 16  # noqa: PLR2004 - a shorter one could be guessed
