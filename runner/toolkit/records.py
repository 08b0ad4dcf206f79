"""Named results: what a cell found or did, kept for later cells, attempts, the rollback and a revert.

A record leaves the kernel as a display message; the runner puts it into the evidence and gives the records of earlier
cells and attempts back in a file. They are not secret: never record one.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from runner.toolkit import display

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,63}")
_MAX_BYTES = 64 * 1024
_here: dict[str, object] = {}


def record(name: str, value: object) -> None:
    """Keep a value under a name; recording again replaces it.

    Args:
        name: lower-case letters, digits and `_`.
        value: anything that JSON holds, at most 64 KiB.

    Raises:
        ValueError: if the name or the value cannot be kept.
    """
    if not _NAME.fullmatch(name):
        message = f"{name!a} is not a name for a record: use lower-case letters, digits and _"
        raise ValueError(message)
    try:
        written = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        message = f"the record {name} cannot be kept as JSON: {error}"
        raise ValueError(message) from None
    if len(written) > _MAX_BYTES:
        message = f"the record {name} is {len(written)} bytes (at most {_MAX_BYTES}); use artifact() for large results"
        raise ValueError(message)
    kept = json.loads(written)
    _here[name] = kept
    display.show(display.RECORD, {"name": name, "value": kept}, text=f"recorded {name} = {_short(written)}")


def recorded(name: str, default: object = ...) -> object:
    """Return what was recorded under a name, by an earlier cell or an earlier attempt.

    Raises:
        KeyError: if nothing was, and no default is given.
    """
    if name in _here:
        return _here[name]
    earlier = _earlier()
    if name in earlier:
        return earlier[name]
    if default is ...:
        message = f"nothing is recorded under {name!a}; recorded are: {', '.join(sorted({*_here, *earlier})) or 'none'}"
        raise KeyError(message)
    return default


def _earlier() -> dict[str, object]:
    path = os.environ.get("RUNBOOK_RECORDS_FILE")
    if not path or not Path(path).exists():
        return {}
    found = json.loads(Path(path).read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}


def _short(written: str) -> str:
    return written if len(written) <= 80 else written[:77] + "..."  # noqa: PLR2004 - one line of a terminal
