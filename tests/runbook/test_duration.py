"""Durations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.runbook import duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("20m", 1200), ("1h30m", 5400), ("2h0m5s", 7205), ("168h", 604800)]
)
def test_a_duration_is_hours_minutes_and_seconds(text: str, seconds: float) -> None:
    assert duration.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "90", "1d", "-1s", "1.5h", "30m1h", "169h", "1 h", "٣s", "1h1h", "s", "1H"])
def test_anything_else_is_refused_with_what_would_be_accepted(text: str) -> None:
    with pytest.raises(ValueError, match="20m"):
        duration.seconds(text)


@given(st.integers(1, duration.LONGEST))
def test_words_read_back_to_the_same_seconds(value: int) -> None:
    assert duration.seconds(duration.words(value)) == value
