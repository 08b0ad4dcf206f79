"""The server over HTTP: what wakes the loop, what is refused, and that nobody waits for a round."""

from __future__ import annotations

import json
import logging
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from runner.errors import OutsideError
from runner.server.app import App, JsonLines, listening
from runner.server.delivery import Keys
from runner.server.health import Health
from runner.server.inbox import Inbox
from tests.server.test_delivery import KEY, signed


@dataclass
class Served:
    url: str
    inbox: Inbox
    health: Health
    woken: list[float]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    inbox = Inbox(tmp_path / "inbox.sqlite")
    health = Health(every=10, waiting=inbox.waiting)
    woken: list[float] = []
    wake = lambda: woken.append(time.monotonic())  # noqa: E731 - as short as it is
    app = App(keys=Keys(signing=(KEY,)), inbox=inbox, health=health, wake=wake, bot=lambda: "bot")
    with listening(app, host="127.0.0.1", port=0) as port:
        yield Served(url=f"http://127.0.0.1:{port}", inbox=inbox, health=health, woken=woken)
    inbox.close()


def post(served: Served, body: bytes, headers: dict[str, str]) -> int:
    return requests.post(f"{served.url}/webhook", data=body, headers=headers, timeout=30).status_code


def test_a_delivery_wakes_the_loop_once_however_often_it_comes(served: Served) -> None:
    headers = signed(b"{}")
    assert [post(served, b"{}", headers) for _ in range(3)] == [200, 200, 200]
    assert len(served.woken) == 1
    assert served.inbox.waiting() == 1


def test_what_we_did_ourselves_is_kept_and_wakes_nobody(served: Served) -> None:
    ours = (b'{"object_kind": "note", "user": {"username": "bot"}}', b'{"object_kind": "push", "user_username": "bot"}')
    for number, body in enumerate(ours):
        assert post(served, body, signed(body, id_=f"echo-{number}")) == 200
    assert (served.woken, served.inbox.waiting()) == ([], 0)
    others = (
        b'{"object_kind": "note", "user": {"username": "bob"}}',
        b'{"object_kind": "pipeline", "user": {"username": "bot"}}',
        b'{"object_kind": ["note"], "user": {"username": "bot"}}',
        b'{"object_kind": "note", "user": "bot"}',
        b'{"object_kind": "note", "user": {"username": ["bot"]}}',
        b"[]",
        b"bot",
    )
    for number, body in enumerate(others):
        assert post(served, body, signed(body, id_=f"other-{number}")) == 200
    assert (len(served.woken), served.inbox.waiting()) == (len(others), len(others))


def test_what_nobody_vouches_for_is_refused_without_a_reason_and_wakes_nobody(served: Served) -> None:
    answer = requests.post(f"{served.url}/webhook", data=b"{}", headers={"X-Gitlab-Token": "x"}, timeout=30)
    assert (answer.status_code, answer.text) == (401, "")
    assert served.woken == []
    assert requests.get(f"{served.url}/webhook", timeout=30).status_code == 405


def test_many_deliveries_at_once_are_all_kept(served: Served) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(lambda number: post(served, b"{}", signed(b"{}", id_=f"d-{number}")), range(200)))
    assert answers == {200}
    assert served.inbox.waiting() == 200


def test_a_client_that_goes_away_in_the_middle_does_no_harm(served: Served) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as half:
        half.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert requests.get(f"{served.url}/healthz", timeout=30).text == "ok\n"
    assert post(served, b"{}", signed(b"{}")) == 200


def test_it_says_how_the_loop_is(served: Served) -> None:
    answer = requests.get(f"{served.url}/readyz", timeout=30)
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "why": "no round has ended yet"})
    served.health.succeeded(seconds=0.1, runs={"started": 1})
    assert requests.get(f"{served.url}/readyz", timeout=30).json()["ready"]
    assert 'runbook_runs{state="started"} 1.0' in requests.get(f"{served.url}/metrics", timeout=30).text


def test_a_disk_that_is_full_is_no_yes(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from runner.server import inbox

    def full(*_words: object) -> list[bool]:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(inbox, "written", full)
    assert post(served, b"{}", signed(b"{}")) == 503
    assert served.woken == []


def test_an_address_that_is_taken_is_outside_trouble(served: Served) -> None:
    port = int(served.url.rpartition(":")[2])
    app = App(keys=Keys(), inbox=served.inbox, health=served.health, wake=lambda: None)
    with pytest.raises(OutsideError, match="in use"), listening(app, host="127.0.0.1", port=port):
        pass


def test_a_log_line_is_one_object_and_shows_no_words_of_an_exception() -> None:
    error = ValueError("glpat-secret")
    words = "a delivery\nfailed"
    record = logging.LogRecord("runbook.server", logging.ERROR, "f", 1, words, None, (ValueError, error, None))
    line = JsonLines().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["said"], said["error"], said["level"]) == ("a delivery\nfailed", "ValueError", "error")
    assert "glpat" not in line


def test_the_threads_end_with_it(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "inbox.sqlite")
    app = App(keys=Keys(), inbox=inbox, health=Health(every=1, waiting=inbox.waiting), wake=lambda: None)
    with listening(app, host="127.0.0.1", port=0):
        pass
    inbox.close()
    assert not {thread.name for thread in threading.enumerate()} & {"http", "inbox"}
