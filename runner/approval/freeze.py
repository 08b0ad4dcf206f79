"""When runs may start: freezes, during which nothing may, and windows, outside which nothing may.

Judged at start, not only at plan. A run that started in time may overrun; what is held waits and is not denied.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from runner.approval.glob import matches_any

WEEK = 7 * 24 * 60
"""Minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """A stretch of every week by the clock on the wall: `start` and `end` in minutes since Monday 00:00."""

    start: int
    end: int
    zone: tzinfo

    def ends(self, now: datetime) -> datetime | None:
        """Say when the stretch that holds `now` ends, or None if `now` is in none."""
        minute = _minute(now.astimezone(self.zone))
        length = (self.end - self.start) % WEEK
        if (minute - self.start) % WEEK >= length:
            return None
        return self._next(now, self.end)

    def begins(self, now: datetime) -> datetime | None:
        """Say when the next stretch begins."""
        return self._next(now, self.start)

    def _next(self, now: datetime, minute: int) -> datetime:
        local = now.astimezone(self.zone)
        ahead = (minute - _minute(local)) % WEEK or WEEK
        # Wall-clock arithmetic: on the days when clocks change, 08:00 is still 08:00.
        wall = local.replace(second=0, microsecond=0, tzinfo=None) + timedelta(minutes=ahead)
        return wall.replace(tzinfo=self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """A stretch of time that comes once: from `start` up to, but not including, `end`."""

    start: datetime
    end: datetime

    def ends(self, now: datetime) -> datetime | None:
        """Say when it ends, or None if it is not now."""
        return self.end if self.start <= now < self.end else None

    def begins(self, now: datetime) -> datetime | None:
        """Say when it begins, or None if it has begun."""
        return self.start if now < self.start else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """Nothing that it speaks of may start while it lasts; `exempt` are the runbooks that may all the same."""

    name: str
    when: Once | Weekly
    runbook: tuple[str, ...] = ("*",)
    target: tuple[str, ...] = ("*",)
    exempt: tuple[str, ...] = ()

    def speaks_of(self, runbook: str, targets: Iterable[str]) -> bool:
        """Whether it concerns this runbook on any of these targets."""
        return (
            matches_any(self.runbook, runbook)
            and not matches_any(self.exempt, runbook)
            and any(matches_any(self.target, target) for target in targets)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What it speaks of may start only while it, or another window that speaks of the same, is open."""

    name: str
    when: Once | Weekly
    runbook: tuple[str, ...] = ("*",)
    target: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why a start has to wait, and until when where that is known."""

    reason: str
    until: datetime | None


def holds(
    freezes: Iterable[Freeze], windows: Iterable[Window], *, runbook: str, targets: tuple[str, ...], now: datetime
) -> tuple[Hold, ...]:
    """Say everything that holds back a start now; nothing means that it may start."""
    found = []
    for freeze in freezes:
        until = freeze.when.ends(now) if freeze.speaks_of(runbook, targets) else None
        if until is not None:
            found.append(Hold(reason=f'held by the freeze "{freeze.name}" until {_at(until)}', until=until))
    for target in targets:
        mine = [w for w in windows if matches_any(w.runbook, runbook) and matches_any(w.target, target)]
        if mine and not any(window.when.ends(now) for window in mine):
            found.append(_closed(mine, target, now))
    return tuple(found)


def _closed(windows: list[Window], target: str, now: datetime) -> Hold:
    names = ", ".join(f'"{window.name}"' for window in windows)
    opens = min((at for window in windows if (at := window.when.begins(now))), default=None)
    when = f"it opens at {_at(opens)}" if opens else "none of them opens again"
    return Hold(reason=f"{target} may change only in the window {names}; {when}", until=opens)


def _minute(local: datetime) -> int:
    return local.weekday() * 24 * 60 + local.hour * 60 + local.minute


def _at(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes")
