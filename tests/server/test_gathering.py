"""Deliveries that come while others are written are written together, and each gets its own answer."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from runner.digest import sha256
from runner.server import inbox as module
from runner.server.delivery import Delivery
from runner.server.gathering import Gathering
from runner.server.inbox import Inbox


def delivery(number: int) -> Delivery:
    return Delivery(id=str(number), body=sha256(b""), event="")


def test_those_who_wait_share_a_flush_and_each_hears_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, sizes, real = Inbox(tmp_path / "inbox.sqlite"), [], module.written

    def counted(table: sqlite3.Connection, taken: list[tuple[Delivery, bool]]) -> list[bool]:
        sizes.append(len(taken))
        return real(table, taken)

    monkeypatch.setattr(module, "written", counted)

    async def many() -> list[bool]:
        gathering = Gathering(inbox)
        return list(await asyncio.gather(*(gathering.put(delivery(at % 60), echo=at % 2 == 0) for at in range(100))))

    assert asyncio.run(many()) == [True] * 60 + [False] * 40
    assert (sum(sizes), len(sizes) < 10) == (100, True)
    assert inbox.waiting() == 30
    inbox.close()


def test_each_hears_that_the_disk_takes_nothing_and_who_went_away_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Inbox(tmp_path / "inbox.sqlite")

    def full(*_words: object) -> list[bool]:
        raise sqlite3.OperationalError("full")

    async def some() -> list[object]:
        gathering = Gathering(inbox)
        tasks = [asyncio.create_task(gathering.put(delivery(at), echo=False)) for at in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    with monkeypatch.context() as patched:
        patched.setattr(module, "written", full)
        assert [type(one) for one in asyncio.run(some())] == [
            sqlite3.OperationalError,
            asyncio.CancelledError,
            sqlite3.OperationalError,
        ]
    assert [one for one in asyncio.run(some()) if isinstance(one, bool)] == [True, True]
    inbox.close()
