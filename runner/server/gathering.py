"""Gathering: deliveries that come while the last ones are being written go into the inbox together.

The server answers in one thread and the inbox writes in another. Every word between them costs a switch of threads, so
there is one for many deliveries, as there is one flush.
"""

from __future__ import annotations

import asyncio

from runner.server.delivery import Delivery
from runner.server.inbox import Inbox


class Gathering:
    """The inbox as the server's thread sees it.

    Args:
        inbox: where deliveries are kept.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._waiting: list[tuple[Delivery, bool, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def put(self, delivery: Delivery, *, echo: bool) -> bool:
        """Take a delivery in, durably; whether it is a new one.

        Raises:
            sqlite3.Error: if it could not be kept.
        """
        result: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, echo, result))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await result

    async def _write(self) -> None:
        while self._waiting:
            items, self._waiting = self._waiting, []
            try:
                fresh = await asyncio.wrap_future(self._inbox.put_all([(one, echo) for one, echo, _ in items]))
            except Exception as error:  # noqa: BLE001 - whatever it is, each of those who wait is told
                self._tell(items, error)
            else:
                for (_, _, result), new in zip(items, fresh, strict=True):
                    if not result.done():
                        result.set_result(new)

    @staticmethod
    def _tell(items: list[tuple[Delivery, bool, asyncio.Future[bool]]], error: Exception) -> None:
        for _, _, result in items:
            if not result.done():
                result.set_exception(error)
