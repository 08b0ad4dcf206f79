"""A running stand-in: on a free port of loopback, in a thread, until it is closed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from tests.gitlab.app import Server
from tests.gitlab.certificate import make
from tests.gitlab.contract import FILE, Contract
from tests.gitlab.site import Site, Tier

START = 20.0
"""Seconds that the server may take to listen, and to end."""
PATIENCE = 0.5
"""Seconds for which clients may still be answered when it ends."""


@contextmanager
def serving(folder: Path, *, tier: Tier = Tier.FREE, port: int = 0, tls: bool = False) -> Iterator[Server]:
    """Serve a new, empty site until the end of the block.

    Args:
        folder: where its repositories lie, and its certificate (`gitlab.crt`, which vouches for itself).
        tier: what was paid for.
        port: 0 for any that is free.
        tls: serve HTTPS.
    """
    secured = make(folder) if tls else None
    with listening(port) as place:
        base = f"{'https' if tls else 'http'}://127.0.0.1:{place.getsockname()[1]}"
        server = Server(site=Site(folder, tier=tier), base=base, contract=Contract() if FILE.exists() else None)
        with answering(server.application(), place, secured=secured):
            try:
                yield server
            finally:
                server.outbox.close()


@contextmanager
def listening(port: int = 0) -> Iterator[socket.socket]:
    """A socket on loopback, until the end of the block."""
    with socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(("127.0.0.1", port))
        yield place


@contextmanager
def answering(
    application: Starlette, place: socket.socket, *, secured: tuple[Path, Path] | None = None
) -> Iterator[None]:
    """Let an application answer there, in a thread, until the end of the block."""
    config = uvicorn.Config(
        application,
        log_level="critical",
        lifespan="off",
        access_log=False,
        date_header=False,
        http="h11",
        ssl_certfile=str(secured[0]) if secured else None,
        ssl_keyfile=str(secured[1]) if secured else None,
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [place]}, daemon=True, name="gitlab")
    thread.start()
    deadline = time.monotonic() + START
    while not running.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield
    finally:
        running.should_exit = True
        thread.join(timeout=PATIENCE)
        # A client in this very process that keeps its connection does not say goodbye while we wait here for it.
        for connection in tuple(running.server_state.connections):
            connection.loop.call_soon_threadsafe(connection.transport.abort)
        thread.join(timeout=START)
