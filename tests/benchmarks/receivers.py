"""What takes deliveries in the benchmark, as a process of its own: `python -m tests.benchmarks.receivers KIND FOLDER`.

`ours` is the product's own application and inbox. `each` is the same framework with the same checks, the same table and
one commit for each request. `empty` is the framework alone, answering an empty 200. It prints its port.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.server.app import App, listening
from runner.server.delivery import Keys, authentic
from runner.server.health import Health
from runner.server.inbox import Inbox, written
from tests.server.test_delivery import KEY

Answers = Callable[[Request], Awaitable[Response]]


class Other(App):
    """The same server, and another answer to a delivery."""

    def __init__(self, app: App, answer: Answers) -> None:
        self._app, self._answer = app, answer

    def application(self) -> Starlette:
        """The application, for any ASGI server."""
        return Starlette(routes=[Route("/webhook", self._answer, methods=["POST"])])


async def empty(request: Request) -> Response:
    """Nothing is looked at."""
    await request.body()
    return Response(status_code=200)


def each(file: Path) -> Answers:
    """One commit for each request, `synchronous=FULL` as in the product; the event loop waits for it."""
    table = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    table.execute("PRAGMA journal_mode=WAL")
    table.execute("PRAGMA synchronous=FULL")

    async def answer(request: Request) -> Response:
        body = await request.body()
        headers = {name.lower(): value for name, value in request.headers.items()}
        written(table, [(authentic(headers, body, Keys(signing=(KEY,))), False)])
        return Response(status_code=200)

    return answer


def main(kind: str, folder: Path) -> None:
    """Serve until it is killed."""
    file = folder / f"{kind}.sqlite"
    inbox = Inbox(file)
    health = Health(every=60, waiting=inbox.waiting)
    app = App(keys=Keys(signing=(KEY,)), inbox=inbox, health=health, wake=lambda: None)
    made = app if kind == "ours" else Other(app, empty if kind == "empty" else each(file))
    with listening(made, host="127.0.0.1", port=0) as port:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
