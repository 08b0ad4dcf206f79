"""A freeze period of the forge, as it was read when a start was judged."""

from __future__ import annotations

from runner.digest import Wire


class Frozen(Wire):
    """Two cron expressions and their time zone, under the number that the forge has for it."""

    id: str
    start: str
    end: str
    zone: str
