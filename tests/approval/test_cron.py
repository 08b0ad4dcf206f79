"""When a stretch between two cron expressions is open, by the clock on the wall of its zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from runner.approval.cron import ends

BERLIN = ZoneInfo("Europe/Berlin")
WEEKEND = ("0 23 * * 5", "0 7 * * 1")


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-27 22:59:59", None),
        ("2026-11-27 23:00:30", "2026-11-30 07:00"),
        ("2026-11-29 12:00", "2026-11-30 07:00"),
        ("2026-11-30 06:59:59", "2026-11-30 07:00"),
        ("2026-11-30 07:00:01", None),
        ("2026-12-02 12:00", None),
    ],
)
def test_a_weekend_is_open_from_its_start_to_its_end(now: str, until: str | None) -> None:
    found = ends(*WEEKEND, zone="Europe/Berlin", now=at(now).astimezone(UTC))
    assert found == (at(until) if until else None)


def test_the_clock_on_the_wall_counts_also_when_it_changes() -> None:
    # On 2026-10-25 Berlin goes from +02:00 to +01:00, on 2026-03-29 it goes back.
    for friday, monday in (("2026-10-23", "2026-10-26"), ("2026-03-27", "2026-03-30")):
        until = ends(*WEEKEND, zone="Europe/Berlin", now=at(f"{friday} 23:30"))
        assert until == at(f"{monday} 07:00")
        assert ends(*WEEKEND, zone="Europe/Berlin", now=at(f"{monday} 06:30")) == until
        assert ends(*WEEKEND, zone="Europe/Berlin", now=at(f"{monday} 07:30")) is None


def test_the_zone_decides_and_not_the_hour_alone() -> None:
    now = datetime(2026, 11, 27, 22, 30, tzinfo=UTC)
    assert ends(*WEEKEND, zone="Europe/Berlin", now=now)
    assert ends(*WEEKEND, zone="UTC", now=now) is None


@pytest.mark.parametrize(
    ("start", "end", "now", "is_open"),
    [
        ("0 0 23 12 *", "0 0 2 1 *", "2026-12-31 10:00", True),
        ("0 0 23 12 *", "0 0 2 1 *", "2027-01-02 10:00", False),
        ("0 18 L * *", "0 8 1 * *", "2026-11-30 20:00", True),
        ("0 18 * * FRI#4", "0 8 * * mon", "2026-11-28 10:00", True),
        ("*/5 22-23 * * *", "0 6 * * *", "2026-11-26 23:59", True),
        # Its start comes round again before its end does: then it is open, for GitLab too, only after the last one.
        ("0 23 * * 1-5", "0 7 * * 1", "2026-11-26 12:00", False),
        ("0 23 * * 1-5", "0 7 * * 1", "2026-11-28 12:00", True),
    ],
)
def test_what_gitlab_takes_is_understood(start: str, end: str, now: str, *, is_open: bool) -> None:
    assert (ends(start, end, zone="Europe/Berlin", now=at(now)) is not None) is is_open


@pytest.mark.parametrize("zone", ["Berlin", "New York", "Etc/UTC"])
def test_short_names_of_zones_are_known_where_they_are_nobody_elses(zone: str) -> None:
    assert ends(*WEEKEND, zone=zone, now=datetime(2026, 11, 28, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("start", "end", "zone"),
    [
        ("often", "0 7 * * 1", "UTC"),
        ("0 23 * *", "0 7 * * 1", "UTC"),
        ("61 * * * *", "0 7 * * 1", "UTC"),
        ("0 0 30 2 *", "0 7 * * 1", "UTC"),
        ("0 0 * * *", "0 0 29 2 MON#5 0 0", "UTC"),
        ("0 0 * * *", "1," * 100 + " 0 * * *", "UTC"),
        ("\ud800", "0 7 * * 1", "UTC"),
        (*WEEKEND, "Atlantis"),
        (*WEEKEND, "../../etc/passwd"),
        (*WEEKEND, "Samoa"),
        (*WEEKEND, ""),
    ],
)
def test_what_cannot_be_read_is_refused(start: str, end: str, zone: str) -> None:
    with pytest.raises(ValueError, match=r"cron expression|time zone"):
        ends(start, end, zone=zone, now=datetime(2026, 11, 28, 12, tzinfo=UTC))
