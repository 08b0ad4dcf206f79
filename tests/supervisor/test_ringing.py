"""Ringing: where nobody answers, nothing is known, and nobody waits."""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec
import pytest

from runner.execution.progress import Progress
from runner.ports.forge import CommentId, IssueId
from runner.supervisor.bell import Bell
from runner.supervisor.ringing import NAME, Ring, Words, address, answered, ring

WHY = Ring(issue=IssueId("7"), comment=CommentId("7/0"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    deep = tmp_path / ("a-long-name-" * 10)
    deep.mkdir(mode=0o700)
    return deep / NAME


def test_where_nobody_answers_nothing_is_known(file: Path) -> None:
    assert ring(file, WHY) is None
    assert not answered(file)
    Bell(file).close()
    assert ring(file, WHY) is None
    with socket.socket(socket.AF_UNIX) as left, address(file) as where:
        left.bind(where)
    assert ring(file, WHY) is None


def test_how_far_a_run_is_crosses_whole() -> None:
    sent = Words(run="x", progress=msgspec.Raw(msgspec.json.encode(Progress(key="x/1", seconds=2.0))))
    came = msgspec.json.decode(msgspec.json.encode(sent), type=Words)
    assert msgspec.json.decode(came.progress, type=Progress) == Progress(key="x/1", seconds=2.0)
