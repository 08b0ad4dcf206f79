"""A desk in a world, and the runs that a test acts on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runner import wiring
from runner.ports.forge import IssueId
from runner.snapshot import Known, Snapshot
from runner.supervisor import desk as desks
from runner.supervisor.desk import Desk
from runner.supervisor.gather import gather
from runner.supervisor.heartbeat import Observer
from tests.stories.world import HOME, World


@contextmanager
def desk_in(world: World, person: str = "alice", *, host: str = HOME) -> Iterator[Desk]:
    """A desk, as a supervisor opens it for one round."""
    with world.workspace(person, host=host) as opened, desks.open_desk(opened, now=wiring.now) as desk:
        yield desk


def seen(desk: Desk, *, only: str | None = None, monotonic: float = 0.0) -> Snapshot:
    """What a supervisor sees from a desk."""
    file = desk.workspace.state / "heartbeats.json"
    observer = Observer(file, lease=60.0, monotonic=lambda: monotonic, boot="b")
    return gather(desk, observer, only=IssueId(only) if only else None)


def known_in(desk: Desk) -> Known:
    """The only run that there is."""
    (known,) = seen(desk).runs
    return known
