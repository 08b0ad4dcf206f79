from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.approval.freeze import WEEK, Freeze, Once, Weekly, Window, holds

BERLIN = ZoneInfo("Europe/Berlin")
WEEKEND = Weekly(start=(4 * 24 + 16) * 60, end=8 * 60, zone=BERLIN)
TARGETS = ("prod/web-1",)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize("now", ["2026-11-20T16:00", "2026-11-22T03:00", "2026-11-23T07:59:59"])
def test_a_weekly_freeze_holds_over_the_end_of_the_week(now: str) -> None:
    assert WEEKEND.ends(at(now)) == at("2026-11-23T08:00")


@pytest.mark.parametrize("now", ["2026-11-20T15:59:59", "2026-11-23T08:00", "2026-11-25T12:00"])
def test_a_weekly_freeze_is_over_outside_its_hours(now: str) -> None:
    assert WEEKEND.ends(at(now)) is None


def test_wall_clocks_count_when_summer_ends() -> None:
    # Clocks in Berlin went back on 25 October 2026: the weekend was an hour longer.
    opens = WEEKEND.ends(at("2026-10-24T12:00"))
    assert opens is not None
    assert opens.astimezone(UTC) == datetime(2026, 10, 26, 7, 0, tzinfo=UTC)


@given(
    start=st.integers(0, WEEK - 1),
    end=st.integers(0, WEEK - 1),
    now=st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants bare bounds
)
def test_a_weekly_stretch_ends_within_a_week_and_is_over_then(start: int, end: int, now: datetime) -> None:
    weekly = Weekly(start=start, end=end, zone=UTC)
    ends = weekly.ends(now)
    if ends is not None:
        assert now < ends <= now + timedelta(minutes=WEEK)
        assert weekly.ends(ends) is None


def test_a_freeze_names_itself_and_when_it_ends() -> None:
    freeze = Freeze(name="weekend", when=WEEKEND)
    (hold,) = holds([freeze], [], runbook="disk-cleanup", targets=TARGETS, now=at("2026-11-22T03:00"))
    assert hold.until == at("2026-11-23T08:00")
    assert '"weekend" until 2026-11-23 08:00+01:00' in hold.reason


def test_a_freeze_that_comes_once_ends() -> None:
    when = Once(start=at("2026-12-20T00:00"), end=at("2027-01-02T00:00"))
    freeze = Freeze(name="christmas", when=when, target=("prod/*",))

    def held(now: str, target: str = "prod/web-1") -> bool:
        return bool(holds([freeze], [], runbook="x", targets=("dev/1", target), now=at(now)))

    assert held("2026-12-20T00:00")
    assert held("2027-01-01T23:59")
    assert not held("2026-12-19T23:59")
    assert not held("2027-01-02T00:00")
    assert not held("2026-12-24T00:00", "staging/web-1")


def test_an_exempt_runbook_runs_in_a_freeze() -> None:
    freeze = Freeze(name="weekend", when=WEEKEND, exempt=("incident-*",))
    now = at("2026-11-22T03:00")
    assert not holds([freeze], [], runbook="incident-failover", targets=TARGETS, now=now)
    assert holds([freeze], [], runbook="disk-cleanup", targets=TARGETS, now=now)


def test_outside_every_window_a_target_waits_for_the_first_that_opens() -> None:
    nights = Weekly(start=2 * 60, end=4 * 60, zone=BERLIN)
    tuesdays = Weekly(start=(24 + 9) * 60, end=(24 + 11) * 60, zone=BERLIN)
    windows = [Window(name="night", when=nights), Window(name="tuesday", when=tuesdays)]
    (hold,) = holds([], windows, runbook="x", targets=TARGETS, now=at("2026-11-23T12:00"))
    assert hold.until == at("2026-11-24T09:00")
    assert not holds([], windows, runbook="x", targets=TARGETS, now=at("2026-11-24T10:00"))


def test_a_window_that_is_gone_for_good_never_opens() -> None:
    gone = Window(name="migration", when=Once(start=at("2026-01-01T00:00"), end=at("2026-01-02T00:00")))
    (hold,) = holds([], [gone], runbook="x", targets=TARGETS, now=at("2026-11-23T12:00"))
    assert hold.until is None
    assert "none of them opens again" in hold.reason


def test_a_window_for_another_target_holds_nothing() -> None:
    gone = Window(name="db", when=Once(start=at("2026-01-01T00:00"), end=at("2026-01-02T00:00")), target=("*/db",))
    assert not holds([], [gone], runbook="x", targets=TARGETS, now=at("2026-11-23T12:00"))
