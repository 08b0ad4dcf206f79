"""The HTTP side: a webhook that only wakes, and three questions about how it is. Nothing here decides anything.

A delivery is answered as soon as it is durable, far inside the ten seconds that GitLab waits, however long a round of
the loop takes. A refused one gets a status and no reason: the reason is in the log.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from runner.errors import OutsideError
from runner.server.delivery import LARGEST, Keys, RefusedError, authentic
from runner.server.gathering import Gathering
from runner.server.health import Health
from runner.server.inbox import Inbox

LOG = logging.getLogger("runbook.server")
START = 30.0
"""Seconds that the server may take to listen."""


class App:
    """Answers requests.

    Args:
        keys: what vouches for a delivery.
        inbox: where deliveries are kept.
        health: is told, and asked.
        wake: lets the loop look now; called from the server's thread.
        bot: the runner's own user name: what it did itself is kept, and wakes nobody.
    """

    def __init__(
        self,
        *,
        keys: Keys,
        inbox: Inbox,
        health: Health,
        wake: Callable[[], None],
        bot: Callable[[], str] = lambda: "",
    ) -> None:
        self._keys, self._health, self._wake, self._bot = keys, health, wake, bot
        self._inbox = Gathering(inbox)

    def application(self) -> Starlette:
        """The application, for any ASGI server."""
        return Starlette(
            routes=[
                Route("/webhook", self.webhook, methods=["POST"]),
                Route("/healthz", self.alive),
                Route("/readyz", self.ready),
                Route("/metrics", self.metrics),
            ]
        )

    async def webhook(self, request: Request) -> Response:
        """Take a delivery: 200 once it is durable, new or not."""
        try:
            body = await _body(request)
            delivery = authentic({name.lower(): value for name, value in request.headers.items()}, body, self._keys)
        except RefusedError as refused:
            self._health.deliveries.labels(result="refused").inc()
            LOG.warning("a delivery was refused: %s", refused)
            return Response(status_code=refused.status)
        except ClientDisconnect:
            return Response(status_code=400)
        echo = bool(delivery.by) and delivery.by == self._bot()
        try:
            new = await self._inbox.put(delivery, echo=echo)
        except Exception:
            # Not durable, so not taken: the forge has it on its list of failures, and the loop looks anyway.
            self._health.deliveries.labels(result="failed").inc()
            LOG.exception("a delivery could not be kept")
            return Response(status_code=503)
        self._health.deliveries.labels(result="again" if not new else "echo" if echo else "new").inc()
        if new and not echo:
            self._wake()
        return Response(status_code=200)

    async def alive(self, _request: Request) -> Response:
        """Whether this process answers at all."""
        return PlainTextResponse("ok\n")

    async def ready(self, _request: Request) -> Response:
        """Whether the loop does its work."""
        wrong = self._health.not_ready()
        return JSONResponse({"ready": not wrong, "why": wrong}, status_code=503 if wrong else 200)

    async def metrics(self, _request: Request) -> Response:
        """All numbers."""
        return Response(self._health.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def _body(request: Request) -> bytes:
    """The body, as long as it is not too long: nobody fills our memory."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST:
            raise RefusedError(413, "the body is too large")
        parts.append(part)
    return b"".join(parts)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, words."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record; of an exception only its class, since its words may hold anything."""
        said = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "from": record.name,
            "said": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0]:
            said["error"] = record.exc_info[0].__name__
        return json.dumps(said, ensure_ascii=False)


@contextmanager
def listening(app: App, *, host: str, port: int) -> Iterator[int]:
    """Serve in a thread until the end of the block; then let what is being answered end.

    Yields:
        The port.

    Raises:
        OutsideError: if the address cannot be had.
    """
    doing = f"listening on {host}:{port}"
    try:
        bound = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise OutsideError(doing, error.strerror or "it cannot be had", hint="choose another --port") from error
    config = uvicorn.Config(app.application(), log_config=None, access_log=False, lifespan="off", server_header=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, name="http", daemon=True)
    thread.start()
    deadline = time.monotonic() + START
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        if not server.started:
            raise OutsideError(doing, "the server did not start", hint="see the log")
        yield int(bound.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=START)
        bound.close()
