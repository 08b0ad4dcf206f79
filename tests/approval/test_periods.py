"""The forge's own freeze periods: on what policy lets them count, and what happens while nobody knows them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runner.approval import periods, policy
from runner.approval.periods import Kept, Periods
from runner.errors import OperatorError
from runner.ports.forge import FreezePeriod

WEEKEND = FreezePeriod(id="7", start="0 23 * * 5", end="0 7 * * 1", zone="UTC")
SATURDAY = datetime(2026, 11, 28, 12, tzinfo=UTC)
RULE = '\n[[rule]]\nname = "r"\nrequest = ["*"]\napprove = {count = 0}\n'


def held(terms: Periods, kept: Kept, *, now: datetime = SATURDAY, runbook: str = "x") -> list[str]:
    found = periods.held(terms, kept, runbook=runbook, targets=("dev/a", "prod/b"), now=now)
    return [hold.reason for hold in found]


def test_an_open_one_holds_and_says_until_when() -> None:
    (hold,) = periods.held(Periods(), Kept(periods=(WEEKEND,)), runbook="x", targets=("t",), now=SATURDAY)
    assert hold.reason == (
        'held by the forge\'s freeze period 7 ("0 23 * * 5" to "0 7 * * 1", UTC) until 2026-11-30 07:00+00:00'
    )
    assert hold.until == datetime(2026, 11, 30, 7, tzinfo=UTC)
    assert held(Periods(), Kept(periods=(WEEKEND,)), now=datetime(2026, 11, 26, 12, tzinfo=UTC)) == []


def test_what_nobody_knows_holds() -> None:
    assert held(Periods(), Kept(problem="GitLab answered 500")) == [
        "the forge's freeze periods cannot be read, so nothing starts: GitLab answered 500"
    ]
    odd = FreezePeriod(id="8", start="often", end="0 7 * * 1", zone="UTC")
    (reason,) = held(Periods(), Kept(periods=(odd,)))
    assert reason.startswith("held by the forge's freeze period 8, which cannot be understood: the cron expression")


def test_policy_says_on_what_they_count() -> None:
    open_now = Kept(periods=(WEEKEND,))
    assert held(Periods(apply=False), open_now) == held(Periods(apply=False), Kept(problem="away")) == []
    assert held(Periods(target=("test/*",)), open_now) == []
    assert held(Periods(target=("prod/*",)), open_now)
    assert held(Periods(exempt=("x",)), open_now) == []
    assert held(Periods(exempt=("x",)), open_now, runbook="y")


def test_without_a_word_of_policy_they_count_everywhere() -> None:
    assert policy.read(RULE).periods == Periods()
    text = '[freeze_periods]\ntarget = ["prod/*"]\nexcept = "status"\n' + RULE
    assert policy.read(text).periods == Periods(target=("prod/*",), exempt=("status",))
    assert not policy.read("[freeze_periods]\napply = false\n" + RULE).periods.apply


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("freeze_periods = 3\n", "must be a"),
        ('[freeze_periods]\ntargets = ["x"]\n', "line 2, .*targets is not a word of policy; did you mean target?"),
        ('[freeze_periods]\napply = "yes"\n', "apply must be true or false"),
    ],
)
def test_what_is_no_word_of_policy_is_refused_with_its_line(text: str, wrong: str) -> None:
    with pytest.raises(OperatorError, match=wrong):
        policy.read(text + RULE)
