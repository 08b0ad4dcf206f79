"""Looking at a remote on plain Git: what a folder says of itself. It has no people, roles or webhooks to look at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from runner.errors import OperatorError, OutsideError
from runner.ports.premises import Blind, Premises, Protection, Seen, Skew, Unseen, Wanted
from runner.repository import refs
from runner.repository.objects import Objects
from runner.repository.process import GitError, git
from runner.repository.repository import Repository

_KEEPING = ("receive.denyNonFastForwards", "receive.denyDeletes")


class LocalInspector:
    """The `Inspector` port on plain Git.

    Args:
        objects: the clone's objects.
        now: this machine's clock.
    """

    def __init__(self, objects: Objects, *, now: Callable[[], datetime]) -> None:
        self._objects, self._now = objects, now

    def look(self, wanted: Wanted) -> Premises:  # noqa: ARG002 - there is nothing that could be wanted here
        """See what plain Git can tell."""
        repository = self._objects.repository
        return Premises(skew=self._skew(repository), protections=_protections(repository))

    def close(self) -> None:
        """There is nothing to let go of."""

    def deliver(self, hook: int) -> int:
        """Plain Git delivers nothing."""
        raise OperatorError(f"delivering to webhook {hook}", "plain Git has no webhooks", hint="see forge")

    def _skew(self, repository: Repository) -> Seen[Skew]:
        """Our clock beside the newest commit of the remote, which was made in the past."""
        try:
            tips = refs.heads(repository).values()
        except OutsideError as error:
            return Unseen(why=f"{error}")
        commits = [found for tip in tips if (found := self._objects.commit(tip))]
        if not commits:
            return Unseen(why="the remote has no commit that was fetched", blind=Blind.AWAY)
        newest = datetime.fromtimestamp(max(one.committed for one in commits), UTC)
        return Skew(seconds=(self._now() - newest).total_seconds(), beside="the remote's newest commit", rough=True)


def _protections(repository: Repository) -> Seen[tuple[Protection, ...]] | None:
    """What keeps the remote's history; None for a clone that is its own remote."""
    if repository.remote is None:
        return None
    if not repository.remote_is_folder:
        return Unseen(why="what the remote refuses cannot be asked over the network", blind=Blind.RIGHT)
    url = repository.settings[f"remote.{repository.remote}.url"].removeprefix("file://")
    kept = all(_on(repository.path / url, name) for name in _KEEPING)
    return (Protection(pattern="*", push=(), merge=(), force=not kept),)


def _on(folder: Path, name: str) -> bool:
    """Whether a setting is on there; a remote that is away has none, and the clock's check says that it is away."""
    try:
        return git(["config", "--type=bool", "--get", name], cwd=folder).strip() == b"true"
    except (GitError, OSError):
        return False
