from __future__ import annotations

from runner.doctor.examination import CHECKS, examine, unopened
from runner.doctor.finding import Standing, exit_code
from runner.errors import OperatorError
from tests.doctor.place import place


def test_checks_are_numbered_in_their_order_and_each_number_is_used_once() -> None:
    assert [check.number for check in CHECKS] == [f"D{number:02}" for number in range(1, len(CHECKS) + 1)]


def test_a_place_with_nothing_wrong_is_clean() -> None:
    findings = examine(place())
    assert [one for one in findings if one.standing is not Standing.FINE] == []
    assert exit_code(findings) == 0


def test_what_was_not_fetched_is_not_taken_for_the_newest() -> None:
    stale = [one for one in examine(place(papers={"stale": True})) if one.standing is Standing.NOT_CHECKED]
    assert [one.number for one in stale] == ["D01"]


def test_where_the_settings_cannot_be_read_nothing_else_counts_as_fine() -> None:
    findings = unopened(OperatorError("reading [tool.runbook]", "forg is not a setting", hint="settings are: forge"))
    assert (findings[0].standing, findings[0].fix) == (Standing.WRONG, "settings are: forge")
    assert {one.standing for one in findings[1:]} == {Standing.NOT_CHECKED}
    assert exit_code(findings) == 6
