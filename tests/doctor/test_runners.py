from __future__ import annotations

from dataclasses import replace

import pytest

from runner.doctor.finding import Standing
from runner.doctor.runners import CHECKS, LATER
from runner.ports.premises import Runner, Unseen
from tests.doctor.place import place, said

ON = Runner(name="inside", online=True, paused=False, protected=True, untagged=False)
OFF = replace(ON, online=False)
PAUSED = replace(ON, paused=True)


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


@pytest.mark.parametrize(
    ("one", "standing", "words"),
    [
        (replace(ON, protected=False), Standing.WARNING, "takes jobs of unprotected branches too"),
        (replace(ON, untagged=True), Standing.WARNING, "takes jobs of no tag too"),
        (replace(ON, protected=False, untagged=True), Standing.WARNING, "unprotected branches and of no tag too"),
        (replace(ON, protected=None, untagged=None), Standing.NOT_CHECKED, "not shown to this token"),
    ],
)
def test_a_runner_that_takes_anybodys_jobs_is_told(one: Runner, standing: Standing, words: str) -> None:
    first, ready = said(CHECKS, "D17", place(premises={"runners": {"dc1": (one,)}}))
    assert (first[0], words in first[1]) == (standing, True)
    assert ready[0] is Standing.FINE


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
