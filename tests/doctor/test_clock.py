from __future__ import annotations

import pytest

from runner.doctor.clock import CHECKS
from runner.doctor.finding import Standing
from runner.ports.premises import Skew, Unseen
from tests.doctor.place import place, said


@pytest.mark.parametrize(
    ("seconds", "standing", "words"),
    [
        (1.0, Standing.FINE, "within 15 s of GitLab"),
        (-20.0, Standing.WARNING, "20 s behind GitLab"),
        (700.0, Standing.WRONG, "700 s ahead of GitLab"),
    ],
)
def test_a_clock_that_differs_is_told_before_others_refuse_it(seconds: float, standing: Standing, words: str) -> None:
    [(stands, says)] = said(CHECKS, "D18", place(premises={"skew": Skew(seconds=seconds, beside="GitLab")}))
    assert stands is standing
    assert words in says


def test_beside_a_commit_only_a_clock_that_is_behind_can_be_seen() -> None:
    def rough(seconds: float) -> Standing:
        skew = Skew(seconds=seconds, beside="the remote's newest commit", rough=True)
        return said(CHECKS, "D18", place(premises={"skew": skew}))[0][0]

    assert rough(90_000.0) is Standing.FINE
    assert rough(-300.0) is Standing.WRONG


def test_without_an_answer_the_clock_is_not_checked() -> None:
    assert said(CHECKS, "D18", place(premises={"skew": Unseen(why="away")})) == [(Standing.NOT_CHECKED, "away")]
