"""Goal 12: deliveries that are durable before they are answered, beside one commit for each, and beside no work at all.

The client is a process of its own and shares the cores with what it measures, as in the measurement that the goal comes
from: 32 connections that are kept, signed bodies of GitLab's size, each with an id of its own.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from tests.benchmarks.row import Row, at_least, load, ratio
from tests.server.test_delivery import KEY

CONNECTIONS = 32
SECONDS = 4.0
ROUNDS = 3
KINDS = ("ours", "each", "empty")
_BODY = json.dumps({"object_kind": "note", "user": {"username": "alice"}, "padding": "x" * 3500}).encode()


def webhook(*, seconds: float = SECONDS, rounds: int = ROUNDS) -> Iterator[Row]:
    """Goal 12, in turn: ours, one commit for each request, an empty answer; one round is not counted."""
    with tempfile.TemporaryDirectory() as name, _receiving(Path(name)) as ports:
        took: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
        for round_ in range(rounds + 1):
            for number, kind in enumerate(KINDS):
                found = _delivered(ports[kind], seconds=seconds, first=f"{round_}-{number}")
                if round_:
                    took[kind].append(found)
        stored = {kind: _stored(Path(name) / f"{kind}.sqlite") for kind in KINDS}
    rates = {kind: [len(one) / seconds for one in took[kind]] for kind in KINDS}
    rows_of = {kind: sum(map(len, took[kind])) for kind in KINDS}
    assert all(stored[kind] >= rows_of[kind] for kind in ("ours", "each")), "an answer without its row"
    yield _row(rates, "each", limit=5.0, words="durable before 200 / one commit for each request")
    yield _row(rates, "empty", limit=0.0, words="durable before 200 / an empty 200 by the same framework")
    yield from (_latencies(kind, took[kind]) for kind in KINDS)


def _row(rates: dict[str, list[float]], other: str, *, limit: float, words: str) -> Row:
    value = ratio(rates["ours"], rates[other])
    detail = f"{statistics.median(rates['ours']):.0f}/s beside {statistics.median(rates[other]):.0f}/s, load {load()}"
    if limit:
        return at_least("12", f"deliveries, {words}", value, limit=limit, detail=detail)
    return Row(goal="12", what=f"deliveries, {words}", measured=f"{value:.2f} x ({detail})", limit="-", hit=None)


def _latencies(kind: str, rounds: list[list[float]]) -> Row:
    found = sorted(itertools.chain.from_iterable(rounds))
    at = {part: found[min(len(found) - 1, int(len(found) * part))] * 1000 for part in (0.5, 0.95, 0.99, 1.0)}
    words = {"ours": "ours", "each": "one commit for each", "empty": "an empty 200"}[kind]
    measured = " / ".join(f"{one:.0f}" for one in at.values()) + " ms"
    what = f"answered, {CONNECTIONS} at once, {words}: p50 / p95 / p99 / most"
    return Row(goal="12", what=what, measured=measured, limit="-", hit=None)


@contextmanager
def _receiving(folder: Path) -> Iterator[dict[str, int]]:
    """Every kind of receiver, with its port."""
    command = [sys.executable, "-m", "tests.benchmarks.receivers"]
    pipe, quiet = subprocess.PIPE, subprocess.DEVNULL
    running = {
        kind: subprocess.Popen([*command, kind, str(folder)], stdout=pipe, stderr=quiet, text=True) for kind in KINDS
    }
    try:
        yield {kind: int(one.stdout.readline()) for kind, one in running.items() if one.stdout}
    finally:
        for one in running.values():
            one.kill()
            one.wait()


def _stored(file: Path) -> int:
    table = sqlite3.connect(file)
    try:
        found: tuple[int] = table.execute("SELECT count(*) FROM delivery").fetchone()
        return found[0]
    finally:
        table.close()


def _delivered(port: int, *, seconds: float, first: str) -> list[float]:
    """Deliver for so long, from a process of its own; how long each took that was answered 200."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_deliver, (port, seconds, first))


def _deliver(port: int, seconds: float, first: str) -> list[float]:
    return asyncio.run(_all(port, seconds, first))


async def _all(port: int, seconds: float, first: str) -> list[float]:
    numbers = itertools.count()
    until = time.perf_counter() + seconds
    took: list[float] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < until:
            request = _request(f"{first}-{next(numbers)}")
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise AssertionError(head)
            took.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return took


def _request(number: str) -> bytes:
    """A signed delivery, as bytes on the wire."""
    stamp = str(int(time.time()))
    key = base64.b64decode(KEY.removeprefix("whsec_"))
    signed = hmac.new(key, f"{number}.{stamp}.".encode() + _BODY, hashlib.sha256).digest()
    head = (
        "POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"webhook-id: {number}\r\nwebhook-timestamp: {stamp}\r\n"
        f"webhook-signature: v1,{base64.b64encode(signed).decode()}\r\nContent-Length: {len(_BODY)}\r\n\r\n"
    )
    return head.encode() + _BODY
