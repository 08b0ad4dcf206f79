"""The inbox: durable before it answers, and each delivery once."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path

import pytest

from runner.digest import sha256
from runner.errors import OutsideError
from runner.server.delivery import Delivery
from runner.server.inbox import KEPT, Inbox, arrived


def delivery(id_: str, body: str = "x") -> Delivery:
    return Delivery(id=id_, body=sha256(body.encode()), event="Note Hook")


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    made = Inbox(tmp_path / "state" / "inbox.sqlite")
    yield made
    made.close()


def test_a_delivery_is_new_once_and_another_body_under_its_id_is_another_one(inbox: Inbox) -> None:
    said = [inbox.put(delivery(*words)).result(timeout=30)[0] for words in (("a",), ("a",), ("a", "other"), ("b",))]
    assert said == [True, False, True, True]
    assert inbox.waiting() == 3


def test_whoever_only_looks_sees_what_came_since_a_moment(inbox: Inbox, tmp_path: Path) -> None:
    file = tmp_path / "state" / "inbox.sqlite"
    began = time.time()
    inbox.put(delivery("a")).result(timeout=30)
    assert (arrived(file, since=began), arrived(file, since=time.time() + 60)) == (1, 0)
    with pytest.raises(OutsideError):
        arrived(tmp_path / "none.sqlite", since=began)


def test_many_at_once_are_all_kept_and_each_gets_its_own_answer(inbox: Inbox) -> None:
    results = [inbox.put(delivery(str(number % 500))) for number in range(1000)]
    wait(results, timeout=60)
    assert sum(result.result()[0] for result in results) == 500
    assert inbox.waiting() == 500


def test_a_round_deals_with_what_came_before_it_and_not_with_what_came_during_it(inbox: Inbox) -> None:
    inbox.put(delivery("before")).result(timeout=30)
    mark = inbox.mark()
    time.sleep(0.01)
    inbox.put(delivery("during")).result(timeout=30)
    inbox.dealt_with(mark)
    assert inbox.waiting() == 1


def test_what_is_dealt_with_is_remembered_for_a_week_and_then_forgotten(inbox: Inbox) -> None:
    inbox.put(delivery("a")).result(timeout=30)
    inbox.dealt_with(inbox.mark())
    assert inbox.put(delivery("a")).result(timeout=30) == [False]
    inbox.dealt_with(inbox.mark() + KEPT + 1)
    assert inbox.put(delivery("a")).result(timeout=30) == [True]


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    Inbox(tmp_path / "state" / "inbox.sqlite").close()
    assert (tmp_path / "state" / "inbox.sqlite").stat().st_mode & 0o077 == 0
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


KILLED = """
import os, signal, sys
from pathlib import Path
from runner.server.delivery import Delivery
from runner.server.inbox import Inbox
inbox = Inbox(Path(sys.argv[1]))
for number in range(50):
    inbox.put(Delivery(id=str(number), body="0" * 64, event="")).result(timeout=30)
    print(number, flush=True)
    if number == 20:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_answered_survives_the_end_of_the_process(tmp_path: Path) -> None:
    file = tmp_path / "inbox.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(file)], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    answered = [int(line) for line in done.stdout.split()]
    with sqlite3.connect(file) as table:
        there = {int(row[0]) for row in table.execute("SELECT id FROM delivery")}
    assert answered[-1] == 20
    assert set(answered) <= there


def test_a_disk_that_takes_nothing_is_told_to_whoever_waits_and_the_next_one_is_tried(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runner.server import inbox as module

    def full(*_words: object) -> list[bool]:
        raise sqlite3.OperationalError("database or disk is full")

    real = module.written
    monkeypatch.setattr(module, "written", full)
    with pytest.raises(sqlite3.OperationalError):
        inbox.put(delivery("a")).result(timeout=30)
    monkeypatch.setattr(module, "written", real)
    assert inbox.put(delivery("a")).result(timeout=30) == [True]
