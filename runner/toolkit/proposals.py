"""Proposing a change to files in Git: a `plan` cell writes the new content, people review it, the merge is their yes.

The runner takes what the rehearsal proposed; nothing is written into the repository by a cell. `present` and `files`
give the files as they are: in the rehearsal and in the run's plan cells at the commit that was planned with, from the
first `change` cell on at the merged commit. In plain Jupyter they are those of the work tree, and a proposal is shown.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import sys
from pathlib import Path

from runner.toolkit import paths

LARGEST = 1024 * 1024
"""Bytes of one proposed file."""
_SHOWN = 200
"""Lines of a diff that are shown; the whole one is in the plan and in the review."""


def propose(path: str, text: str | None) -> None:
    """Propose that a file has this text, and show what that changes.

    Args:
        path: from the repository's root, as `proposes:` in the header opens it.
        text: the whole new text; None proposes to remove the file.

    Raises:
        ValueError: if the path is not opened by the header, or the text is too large.
    """
    _check(path)
    data = b"" if text is None else text.encode()
    if len(data) > LARGEST:
        message = f"{path} would have {len(data)} bytes (at most {LARGEST})"
        raise ValueError(message)
    folder = os.environ.get("RUNBOOK_PROPOSAL")
    if folder:
        name = hashlib.sha256(path.encode()).hexdigest()
        Path(folder, f"{name}.json").write_text(json.dumps({"path": path, "text": text}), encoding="utf-8")
    sys.stdout.write(_difference(path, present(path), text))


def present(path: str) -> str | None:
    """Return the text that a file has now; None if there is no such file.

    Raises:
        ValueError: if the header's `proposes:` does not open the path, or it is not UTF-8 text.
    """
    _check(path)
    file = files() / path
    if not file.is_file():
        return None
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError:
        message = f"{path} is not UTF-8 text"
        raise ValueError(message) from None


def files() -> Path:
    """Return the folder with the files that `proposes:` opens, by their paths; to be read only."""
    given = os.environ.get("RUNBOOK_FILES")
    if given:
        return Path(given)
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)


def _check(path: str) -> None:
    wrong = paths.fault(path)
    opened = json.loads(os.environ.get("RUNBOOK_PROPOSES") or "null")
    if not wrong and opened is not None and not any(paths.matches(glob, path) for glob in opened):
        wrong = "no line of the header's `proposes:` opens it"
    if wrong:
        message = f"{path!a} cannot be proposed: {wrong}"
        raise ValueError(message)


def _difference(path: str, old: str | None, new: str | None) -> str:
    if old == new:
        return f"{path}: no change\n"
    before, after = (old or "").splitlines(), (new or "").splitlines()
    names = (f"a/{path}" if old is not None else "/dev/null", f"b/{path}" if new is not None else "/dev/null")
    lines = list(difflib.unified_diff(before, after, *names, lineterm="", n=3))
    added = sum(line.startswith("+") for line in lines[2:])
    removed = sum(line.startswith("-") for line in lines[2:])
    word = "remove" if new is None else "add" if old is None else "change"
    digest = "" if new is None else f", sha256 {hashlib.sha256(new.encode()).hexdigest()[:12]}"
    head = f"{word} {path}: +{added} -{removed}{digest}"
    left = [f"... and {len(lines) - _SHOWN} lines more"] if len(lines) > _SHOWN else []
    return "\n".join([head, *lines[:_SHOWN], *left]) + "\n"
