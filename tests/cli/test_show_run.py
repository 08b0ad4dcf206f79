from __future__ import annotations

import json

import pytest

from runner.cli.show_run import is_run
from tests.stories.world import git

from .conftest import Lived, Typed


@pytest.mark.parametrize("name", ["20261123T231008Z-count-gyrh13tx", "20261123T231008Z", "20261123T2310", "20261123T"])
def test_a_run_is_recognised_by_its_id_or_the_beginning_of_one(name: str) -> None:
    assert is_run(name)


@pytest.mark.parametrize("name", ["disk-cleanup", "2026", "20261123", "db/rotate", "20261123-rotate", ""])
def test_a_runbook_is_no_run(name: str) -> None:
    assert not is_run(name)


def test_a_person_sees_everything_about_a_run(lived: Lived, typed: Typed) -> None:
    said = typed("bob", "show", lived.bad, columns=80)
    assert said.code == 0
    lines = said.out.splitlines()
    assert all(len(line) <= 80 for line in lines[:-1])
    words = " ".join(said.out.split())
    for fact in ("Fail (fail, risk low)", "lab/web-2", "failed", "complete", "alice@example.org", "bob@example.org"):
        assert fact in words
    assert all(event in words for event in ("plan", "approve", "start", "finish"))
    assert "rollback" in words
    assert "RuntimeError: the line is not as it should be" in words


def test_the_command_that_it_ends_with_shows_the_runs_files(lived: Lived, typed: Typed) -> None:
    last = typed("bob", "show", lived.good).out.splitlines()[-1]
    assert last.startswith("its files:  git show ")
    shown = git(lived.world.clone("bob"), "show", last.rpartition(" ")[2]).decode()
    assert "plan.json" in shown


def test_a_script_gets_the_same(lived: Lived, typed: Typed) -> None:
    said = json.loads(typed("bob", "show", lived.good, "--json").out)
    assert {"row", "plan", "events", "manifests", "folder"} <= set(said)
    assert said["row"]["run"] == lived.good
    assert [event["type"] for event in said["events"]] == ["plan", "approve", "start", "finish"]
    assert said["manifests"][0]["result"]["outcome"] == "succeeded"


def test_a_run_that_waits_has_no_cells_yet(lived: Lived, typed: Typed) -> None:
    said = typed("bob", "show", lived.waiting)
    assert (said.code, "cell (attempt" in said.out) == (0, False)
    assert "[web-3]" in said.out


def test_a_beginning_that_only_one_run_has_is_enough(lived: Lived, typed: Typed) -> None:
    said = typed("bob", "show", lived.good[:-2], "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["row"]["run"] == lived.good


@pytest.mark.parametrize("name", ["20010101T000000Z-none-00000000", "20261123T"])
def test_no_run_or_more_than_one_is_answered_in_words(typed: Typed, name: str) -> None:
    said = typed("bob", "show", name)
    assert said.code == 2
    assert "try:" in said.err
