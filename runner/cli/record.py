"""Opening the record for questions: the clone, the newest evidence that can be had, and an index of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.errors import RequestError

if TYPE_CHECKING:
    from runner.audit.index import Index
    from runner.wiring import Workspace

OFFLINE = click.option("--offline", is_flag=True, help="Do not ask the remote; answer from what this clone has.")
_AGO = re.compile(r"([0-9]{1,6})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@contextmanager
def opened(folder: Path, *, offline: bool) -> Iterator[tuple[Workspace, Index]]:
    """The clone that contains a folder, and its index."""
    from runner.audit.index import Index
    from runner.wiring import open_workspace

    workspace = open_workspace(folder, fetch=not offline)
    index = Index(workspace.state / "index.sqlite")
    try:
        index.update(workspace.repository, branch=workspace.settings.evidence_branch)
        yield workspace, index
    finally:
        index.close()
        workspace.objects.close()


def moment(text: str, *, now: datetime) -> datetime:
    """A point in time as people write it: `2026-11-23`, `2026-11-23T14:00Z`, or how long ago: `90m`, `36h`, `7d`, `2w`.

    Raises:
        RequestError: if it is neither.
    """
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        hint = "write a date such as 2026-11-23 or 2026-11-23T14:00Z, or how long ago: 90m, 36h, 7d, 2w"
        raise RequestError("reading a time", f"{text!a} is none", hint=hint) from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
