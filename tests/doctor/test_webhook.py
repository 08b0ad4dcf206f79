from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.doctor.facts import Broken, Facts, Trial, Vouching
from runner.doctor.finding import Standing
from runner.doctor.webhook import CHECKS
from runner.ports.premises import Blind, Delivery, Unseen
from tests.doctor.place import HOOK, found, place, said

NUMBERS = ("D12", "D13", "D14", "D15", "D16")


def hooked(**changed: Any) -> Facts:
    return place(premises={"hooks": (replace(HOOK, **changed),)})


def test_a_webhook_that_works_is_fine() -> None:
    assert [said(CHECKS, one, place())[0][0] for one in NUMBERS] == [Standing.FINE] * 5


def test_who_takes_no_deliveries_needs_no_webhook() -> None:
    facts = place(machine={"vouching": None}, premises={"hooks": None})
    assert [said(CHECKS, one, facts) for one in NUMBERS] == [[]] * 5


def test_a_runner_may_not_look_at_webhooks_and_says_so() -> None:
    unseen = Unseen(why="GitLab refused the token (403)", blind=Blind.RIGHT)
    [one] = found(CHECKS, "D12", place(premises={"hooks": unseen}))
    assert one.standing is Standing.NOT_CHECKED
    assert "--maintainer-token" in one.fix


def test_no_webhook_and_several_are_told() -> None:
    assert said(CHECKS, "D12", place(premises={"hooks": ()}))[0][0] is Standing.WRONG
    other = replace(HOOK, number=8, url="https://old.example.org/webhook?secret=word")
    [(standing, says)] = said(CHECKS, "D12", place(premises={"hooks": (HOOK, other)}))
    assert (standing, "word" in says) == (Standing.WARNING, False)
    exactly = place(premises={"hooks": (HOOK, other)}, url="https://runner.example.org/webhook")
    assert said(CHECKS, "D12", exactly)[0][0] is Standing.FINE


def test_events_that_are_missing_are_named_with_the_call_that_adds_them() -> None:
    [one] = found(CHECKS, "D13", hooked(events=frozenset({"issues", "note", "merge_requests", "confidential_note"})))
    assert "Confidential work item events" in one.says
    assert "PUT /projects/ID/hooks/7?confidential_issues_events=true" in one.fix
    ci = place(settings={"executor": "gitlab-ci"})
    assert "Pipeline events" in said(CHECKS, "D13", ci)[0][1]


@pytest.mark.parametrize(
    ("theirs", "vouching", "standing"),
    [
        ({"signed": True}, Vouching(signing=1, plain=False), Standing.FINE),
        ({"signed": True}, Vouching(signing=0, plain=True), Standing.WRONG),
        ({"signed": False, "secret": True}, Vouching(signing=0, plain=True), Standing.WARNING),
        ({"signed": False, "secret": True}, Vouching(signing=1, plain=False), Standing.WRONG),
        ({"signed": False}, Vouching(signing=1, plain=True), Standing.WRONG),
        ({"signed": None}, Vouching(signing=1, plain=False), Standing.NOT_CHECKED),
        ({"signed": True}, Broken(wrong="others may read the file", fix="chmod 600 it"), Standing.WRONG),
    ],
)
def test_both_sides_have_to_sign(theirs: dict[str, Any], vouching: object, standing: Standing) -> None:
    facts = place(premises={"hooks": (replace(HOOK, **theirs),)}, machine={"vouching": vouching})
    assert [one for one, _ in said(CHECKS, "D14", facts)] == [standing]


def test_a_receiver_that_is_not_verified_or_without_tls_is_told() -> None:
    assert said(CHECKS, "D15", hooked(verified=False))[0][0] is Standing.WRONG
    assert said(CHECKS, "D15", hooked(url="http://runner.example.org/webhook"))[0][0] is Standing.WARNING
    assert said(CHECKS, "D15", hooked(url="http://127.0.0.1:8080/webhook"))[0][0] is Standing.FINE


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "tokens of both sides differ"), (0, "GitLab reaches"), (503, "log of runbook serve")],
)
def test_a_delivery_that_was_not_taken_says_where_to_look(status: int, words: str) -> None:
    last = (Delivery(trigger="note_hooks", status=status), Delivery(trigger="note_hooks", status=200))
    [one] = found(CHECKS, "D16", hooked(deliveries=last))
    assert (one.standing, words in one.fix) == (Standing.WRONG, True)


def test_a_webhook_that_gitlab_switched_off_and_one_that_was_never_used_are_told() -> None:
    off = said(CHECKS, "D16", hooked(state="temporarily_disabled"))
    assert off[0] == (Standing.WRONG, "GitLab has switched it off after failures (temporarily_disabled)")
    assert said(CHECKS, "D16", hooked(deliveries=()))[0][0] is Standing.NOT_CHECKED


@pytest.mark.parametrize(
    ("trial", "standing"),
    [
        (Trial(arrived=True), Standing.FINE),
        (Trial(arrived=False), Standing.WRONG),
        (Trial(), Standing.NOT_CHECKED),
        (Trial(problem=Broken(wrong="no", fix="do")), Standing.WRONG),
        (Trial(problem=Unseen(why="away")), Standing.NOT_CHECKED),
    ],
)
def test_a_test_that_was_asked_for_counts_more_than_what_was_delivered_before(trial: Trial, standing: Standing) -> None:
    assert [one for one, _ in said(CHECKS, "D16", place(trial=trial))] == [standing]
