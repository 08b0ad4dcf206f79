"""Files of the plan: what a `plan` cell saves for the `change` cell, so that exactly what was approved is applied.

A saved Terraform plan is the example. In the rehearsal `keep` takes the file; its digest goes into the plan. In the run
the same call gives back the approved file and leaves it alone, whatever the plan cell has made by then.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_AFTER_APPROVAL = ("run", "revert")
"""What the runner does once somebody has said yes: then files are given back and never written."""
_by_hand: list[Path] = []


def keep(name: str, source: str | os.PathLike[str] | bytes) -> Path:
    """Save a file of the plan, and return where it is.

    Args:
        name: letters, digits, `.`, `_` and `-`.
        source: a path to copy, or the bytes themselves.

    Raises:
        ValueError: if the name cannot be one.
    """
    target = _place(name)
    if os.environ.get("RUNBOOK_MODE") in _AFTER_APPROVAL:
        return kept(name)
    if isinstance(source, bytes):
        target.write_bytes(source)
    else:
        shutil.copyfile(source, target)
    return target


def kept(name: str) -> Path:
    """Return where the approved file is.

    Raises:
        FileNotFoundError: if the rehearsal saved none of that name.
    """
    target = _place(name)
    if not target.is_file():
        message = f"no file {name!a} was kept: call keep({name!a}, ...) in a plan cell"
        raise FileNotFoundError(message)
    return target


def _place(name: str) -> Path:
    if not _NAME.fullmatch(name):
        message = f"{name!a} is not a name for a file: use letters, digits, '.', '_' and '-'"
        raise ValueError(message)
    folder = os.environ.get("RUNBOOK_PLAN_FILES")
    if folder:
        return Path(folder) / name
    if not _by_hand:
        _by_hand.append(Path(tempfile.mkdtemp(prefix="runbook-plan-")))
    return _by_hand[0] / name
