"""Stretches of time between two cron expressions in a time zone, as GitLab keeps freeze periods. The home of cronsim.

The library is the one that Healthchecks and Home Assistant run on: five fields, names, lists, steps, `L` and `#`, by
the clock on the wall of a zone and over its changes. What it cannot read is refused, never taken for a time that is not
now.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

LONGEST = 100
"""Characters of an expression or the name of a zone."""


def ends(start: str, end: str, *, zone: str, now: datetime) -> datetime | None:
    """Say when the stretch that holds `now` ends; None if it is not now.

    It is GitLab's own rule (`Ci::FreezePeriod`): the last start is later than the last end, and the next end comes
    before the next start. So a period whose start comes round again before its end does is open between its last start
    and its end alone, there and here.

    Args:
        start: the expression of its beginnings.
        end: the expression of its ends.
        zone: a name of the time zone database, or GitLab's short form of one, such as `Berlin`.
        now: with its zone.

    Raises:
        ValueError: if one of them cannot be read, or has no time before or after `now`.
    """
    local = now.astimezone(_zone(zone))
    last_start, last_end = (_time(text, local, back=True) for text in (start, end))
    next_start, next_end = (_time(text, local, back=False) for text in (start, end))
    # Two times of one zone would be compared by the clock on the wall.
    since, until = last_start.astimezone(UTC), next_end.astimezone(UTC)
    open_now = last_end.astimezone(UTC) < since and until < next_start.astimezone(UTC)
    return next_end if open_now else None


def _time(expression: str, local: datetime, *, back: bool) -> datetime:
    """The last time strictly before, or the next one strictly after."""
    from cronsim import CronSim, CronSimError

    if len(expression) > LONGEST:
        raise ValueError(f"a cron expression of more than {LONGEST} characters")
    try:
        return next(CronSim(expression, local, reverse=back))
    except (CronSimError, StopIteration, OverflowError, AssertionError) as error:
        why = (
            "it comes in no year near this one" if isinstance(error, StopIteration) else "it is none that is known here"
        )
        raise ValueError(f"the cron expression {expression!a}: {why}") from None


@cache
def _zone(name: str) -> tzinfo:
    """A zone by its name, or by the last part of it where that is nobody else's."""
    if name in {"UTC", "Etc/UTC"}:
        return UTC
    names = (
        {name}
        if "/" in name
        else {one for one in available_timezones() if one.split("/")[-1] == name.replace(" ", "_")}
    )
    try:
        (found,) = names
        return ZoneInfo(found)
    except (ValueError, OSError, KeyError):
        raise ValueError(f"the time zone {name[:LONGEST]!a} is none that is known here") from None
