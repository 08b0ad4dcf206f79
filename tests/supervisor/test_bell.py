"""The bell: heard by its owner alone, answered while somebody is there, and never needed."""

from __future__ import annotations

import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.execution.progress import Progress
from runner.ports.forge import CommentId, IssueId
from runner.supervisor import bell as bells
from runner.supervisor import ringing
from runner.supervisor.bell import Bell
from runner.supervisor.ringing import NAME, Ring, address, answered
from runner.supervisor.watcher import Watcher

NOBODY = Watcher(say=lambda _text: None, progress=lambda _run, _progress: None)
WHY = Ring(issue=IssueId("7"), comment=CommentId("7/0"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    deep = tmp_path / ("a-long-name-" * 10)
    deep.mkdir(mode=0o700)
    return deep / NAME


@pytest.fixture
def bell(file: Path) -> Iterator[Bell]:
    made = Bell(file)
    yield made
    made.close()


def rung(file: Path, watcher: Watcher = NOBODY) -> object:
    """What whoever rings is told at last."""
    call = ringing.ring(file, WHY)
    return call.listen(watcher) if call else None


class Caller(threading.Thread):
    """Somebody who rings and waits."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file, self.said, self.found = file, list[str](), object()
        self.start()

    def progress(self, run: str, progress: Progress) -> None:
        self.said.append(f"{run} {progress.seconds}")

    def run(self) -> None:
        self.found = rung(self.file, Watcher(say=self.said.append, progress=self.progress))


def test_whoever_rings_hears_what_happens_and_what_came_of_it(file: Path, bell: Bell) -> None:
    caller = Caller(file)
    assert bell.rung.wait(10)
    assert bell.callers() == (WHY,)
    bell.say("start x")
    bell.progress("x", Progress(key="x/1", seconds=2.0))
    bell.end(Ring(issue=IssueId("8"), comment=CommentId("8/0")), {"code": 9})
    bell.end(WHY, {"code": 0})
    caller.join(10)
    assert (caller.said, caller.found) == (["start x", "x 2.0"], {"code": 0})
    assert bell.callers() == ()


def test_a_supervisor_that_goes_away_leaves_its_callers_to_themselves(file: Path, bell: Bell) -> None:
    caller = Caller(file)
    assert bell.rung.wait(10)
    bell.close()
    caller.join(10)
    assert caller.found is None


def test_what_a_killed_supervisor_left_is_in_nobodys_way(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left, address(file) as where:
        left.bind(where)
    made = Bell(file)
    assert answered(file)
    made.close()
    assert not file.exists()


def test_it_is_for_its_owner_alone(file: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0
    monkeypatch.setattr(bells, "_owner", lambda _: 12345)
    assert rung(file) is None
    assert bell.callers() == ()


def test_what_is_no_ring_is_not_heard(file: Path, bell: Bell) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        with address(file) as where:
            line.connect(where)
        line.sendall(b'{"issue": 7}\n')
        assert line.recv(10) == b""
    assert not bell.rung.is_set()


def test_a_caller_who_hung_up_keeps_nobody(file: Path, bell: Bell) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        with address(file) as where:
            line.connect(where)
        line.sendall(b'{"issue": "7", "comment": "7/0"}\n')
        assert bell.rung.wait(10)
    deadline = time.monotonic() + 10
    while bell.callers() and time.monotonic() < deadline:
        bell.say("anything")
    assert bell.callers() == ()
