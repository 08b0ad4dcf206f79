"""Signs of life of a start's owner: a scratch branch that changes while the owner is at work, and who watches it.

No two clocks are compared. An observer notes what the branch held and counts seconds on its own monotonic clock; only
when nothing changed for the whole lease is the owner lost. Heartbeats are noise, so they never touch the evidence
branch.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from runner.digest import Wire
from runner.repository import refs
from runner.repository.commits import Author, write
from runner.repository.objects import Objects
from runner.supervisor import bulletin as bulletins
from runner.supervisor.bulletin import Bulletin

PREFIX = "runbook-heartbeat/"


def first_after(lease: float) -> float:
    """Seconds after which an owner gives its first sign of life, and then between two: a quarter of the lease.

    A run that is shorter gives none, and none is missed: an observer waits for the whole lease from its own first look.
    """
    return max(0.2, lease / 4)


class Pulse:
    """When each run of this machine is due for its next sign of life."""

    def __init__(self, *, lease: float, monotonic: Callable[[], float]) -> None:
        self._every = first_after(lease)
        self._monotonic = monotonic
        self._last: dict[str, float] = {}

    def due(self, run: str) -> bool:
        """Whether a sign is due now; the first look at a run only starts its clock."""
        at = self._monotonic()
        if at - self._last.setdefault(run, at) < self._every:
            return False
        self._last[run] = at
        return True


class Seen(Wire):
    """What an observer saw last, and when: seconds of the monotonic clock of that boot."""

    commit: str
    since: float
    boot: str


def beat(objects: Objects, run: str, *, word: str, now: datetime, bulletin: Bulletin | None = None) -> None:
    """Show that the owner of a run is at work, and how far it is. A remote that is away is no reason to stop working.

    Raises:
        OutsideError: if the remote does not answer.
    """
    author = Author(name="runbook", email="heartbeat@runbook.invalid", when=now)
    message = f"heartbeat: {run}\n\n{word}\n{now.isoformat()}\n"
    files = {bulletins.NAME: bulletins.encode(bulletin)} if bulletin else {}
    commit = write(objects, files, parent=None, message=message, author=author, sign=None)
    refs.show(objects.repository, commit, PREFIX + run)


def stop(objects: Objects, run: str) -> None:
    """Remove the sign when the run is over."""
    refs.remove(objects.repository, PREFIX + run)


def heard(objects: Objects, run: str) -> Bulletin | None:
    """What the owner's newest sign of life tells; None where there is none.

    Raises:
        OutsideError: if the remote does not answer.
    """
    branch = PREFIX + run
    if branch not in refs.heads(objects.repository, branch):
        return None
    tip = refs.glimpse(objects.repository, branch)
    return bulletins.read(objects.read(tip, bulletins.NAME)) if tip else None


class Observer:
    """Watches owners for this machine; what it saw outlives the process, because one look proves nothing."""

    def __init__(self, file: Path, *, lease: float, monotonic: Callable[[], float], boot: str) -> None:
        self._file = file
        self._lease = lease
        self._monotonic = monotonic
        self._boot = boot
        self._seen: dict[str, Seen] = _load(file)

    def silence(self, run: str, commit: str) -> float:
        """How many seconds this owner has been silent, as far as this machine has been looking.

        Args:
            run: whose owner.
            commit: what its heartbeat branch holds now; empty where there is none.
        """
        seen = self._seen.get(run)
        if seen is None or seen.commit != commit or seen.boot != self._boot:
            self._seen[run] = Seen(commit=commit, since=self._monotonic(), boot=self._boot)
            return 0.0
        return self._monotonic() - seen.since

    def lost(self, run: str, commit: str) -> bool:
        """Whether the owner was silent for the whole lease."""
        return self.silence(run, commit) >= self._lease

    def save(self, live: frozenset[str]) -> None:
        """Remember for the next process; runs that are over are forgotten."""
        kept = {run: seen for run, seen in self._seen.items() if run in live}
        temporary = self._file.with_suffix(".new")
        temporary.write_bytes(msgspec.json.encode(kept))
        temporary.replace(self._file)


def boot_id() -> str:
    """Which boot the monotonic clock belongs to."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


def _load(file: Path) -> dict[str, Seen]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Seen])
    except (OSError, msgspec.MsgspecError):
        return {}
