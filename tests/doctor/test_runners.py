from __future__ import annotations

import pytest

from runner.doctor.finding import Standing
from runner.doctor.runners import CHECKS, LATER
from runner.ports.premises import Runner, Unseen
from tests.doctor.place import place, said

ON = Runner(name="inside", online=True, paused=False)
OFF = Runner(name="inside", online=False, paused=False)
PAUSED = Runner(name="inside", online=True, paused=True)


@pytest.mark.parametrize(
    ("found", "standing", "words"),
    [
        ((ON, OFF), Standing.FINE, "for the tag dc1: inside"),
        ((), Standing.WRONG, "no runner of the project carries the tag dc1"),
        ((OFF,), Standing.WRONG, "no runner with the tag dc1 is online: inside"),
        ((OFF, PAUSED), Standing.WRONG, "every runner with the tag dc1 that is online is paused"),
        (Unseen(why="GitLab refused the token (403)"), Standing.NOT_CHECKED, "GitLab refused the token (403)"),
    ],
)
def test_each_zone_needs_a_runner_that_takes_jobs(found: object, standing: Standing, words: str) -> None:
    assert said(CHECKS, "D17", place(premises={"runners": {"dc1": found}})) == [(standing, words)]


def test_without_zones_nobody_looks_for_runners() -> None:
    assert said(CHECKS, "D17", place()) == []


@pytest.mark.parametrize(
    ("changed", "standing", "words"),
    [
        ({"machine": {"trigger": True}}, Standing.FINE, "a trigger token"),
        ({}, Standing.WRONG, "no trigger token"),
        ({"machine": {"trigger": True}, "papers": {"pipeline": False}}, Standing.WRONG, "no .gitlab-ci.yml"),
        ({"machine": {"key": None}}, Standing.FINE, "there is a configuration"),
    ],
)
def test_pipelines_are_started_by_a_trigger_token_and_not_by_a_right_to_main(
    changed: dict[str, dict[str, object]], standing: Standing, words: str
) -> None:
    [(stands, says)] = said(LATER, "D31", place(settings={"executor": "gitlab-ci"}, **changed))
    assert stands is standing
    assert words in says
    assert said(LATER, "D31", place(**changed)) == []
