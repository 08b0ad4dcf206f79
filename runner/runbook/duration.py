"""Durations as people write them (`90s`, `20m`, `1h30m`) and the seconds that they mean; nothing else parses one."""

from __future__ import annotations

import re

_FORM = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")
LONGEST = 7 * 24 * 3600

ACCEPTED = "a duration such as 90s, 20m or 1h30m, more than nothing and at most 168h"


def seconds(text: str) -> float:
    """Parse a duration.

    Returns:
        Seconds, more than 0 and at most a week.

    Raises:
        ValueError: if it is not one; the message says what would be accepted.
    """
    match = _FORM.fullmatch(text) if text.isascii() else None
    hours, minutes, rest = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = hours * 3600 + minutes * 60 + rest
    if not 0 < total <= LONGEST:
        raise ValueError(ACCEPTED)
    return float(total)


def words(value: float) -> str:
    """Write seconds the way they are read here: `5400` is `1h30m`."""
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if number]
    return "".join(parts) or "0s"
