"""What one process has seen of a GitLab project, so that what did not change is not asked for again."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.digest import Digest
from runner.ports.forge import FreezePeriod, IssueId, Thread


@dataclass(slots=True)
class Seen:
    """Who the process is at a project, where that is, and what was read there.

    An issue is read again when GitLab says that it was updated since, and whenever it has to be judged; freeze periods,
    with the moment of the monotonic clock at which they were read, when they are old or a start has to be judged.
    `numbers` are the ids of members by user name.
    """

    me: str = ""
    number: int = 0
    web: str = ""
    threads: dict[IssueId, tuple[str, Thread]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    uploads: dict[Digest, str] = field(default_factory=dict)
    freezes: tuple[float, tuple[FreezePeriod, ...]] | None = None


_SEEN: dict[tuple[str, str, str], Seen] = {}
"""By server, project and token, for as long as the process lives."""


def seen_at(server: str, project: str, token: str) -> Seen:
    """What this process has seen of a project with this token."""
    return _SEEN.setdefault((server, project, token), Seen())
