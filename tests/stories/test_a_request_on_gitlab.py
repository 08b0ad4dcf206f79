"""A request from beginning to end in GitLab's own ways: template, owner, labels, links, freeze periods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.publication.issue_template import FOLDER
from tests.gitlab.contract import FILE
from tests.gitlab.site import Issue
from tests.stories import world as worlds
from tests.stories.conftest import Place
from tests.stories.forges import GITLAB, GitLab
from tests.stories.world import SETTINGS, World

SETTINGS_HERE = SETTINGS + 'labels = "change-management"\n'


@pytest.fixture
def world(places: Place, tmp_path: Path) -> Iterator[World]:
    if not FILE.exists():
        pytest.skip("machine: GitLab's contract lies in the shared folder, which is not here")
    made = worlds.copied(places(GITLAB), tmp_path / "w")
    yield made
    made.forge.end()


def at(world: World) -> GitLab:
    assert isinstance(world.forge, GitLab)
    return world.forge


def seen(world: World, issue: str) -> Issue:
    """An issue as the stand-in has it."""
    return at(world).seeded.project.issues[int(issue)]


def assigned(world: World, issue: str) -> list[str]:
    return [person.username for person in seen(world, issue).assignees]


def test_a_template_becomes_a_request_that_is_assigned_labelled_linked_and_run(world: World) -> None:
    world.commit({"pyproject.toml": SETTINGS_HERE})
    assert world.cli("alice", "form", "--gitlab").code == 0
    template = (world.clone("alice") / FOLDER / "count.md").read_text()
    project = at(world).seeded.project
    project.labels |= {"change::unscheduled": 901, "C3": 902}

    empty = world.open_issue("alice", "Count", template)
    world.reconcile(wait=False)
    assert "folder: is required and was not given" in world.words(empty)
    assert sorted(seen(world, empty).labels) == ["C3", "change::unscheduled"]
    assert assigned(world, empty) == []

    other = world.open_issue("bob", "Disk is filling up", "Look at it.")
    hidden = world.open_issue("bob", "An embargo", "Hush.")
    seen(world, hidden).confidential = True
    busy = world.open_issue("carol", "Busy", "With alice.")
    site = at(world).server.site
    alice = site.named("alice")
    assert alice
    seen(world, busy).assignees = [alice]
    body = template.replace("folder:", f'folder: "{world.traces}"')
    body = body.replace('# related: "#12 !34"', f'related: "#{other} #{hidden} !1 #9999"')
    issue = world.open_issue("alice", "Count, please", body)
    world.reconcile(wait=False)
    plan = world.thread(issue).comments[1].body
    assert re.search(rf"^- related: #{other}, !1$", plan, re.MULTILINE), plan
    assert [(one[1], one[2]) for one in project.links] == [(seen(world, issue).id, seen(world, other).id)]
    assert sorted(seen(world, issue).labels) == ["C3", "change::unscheduled"]
    assert assigned(world, issue) == ["bob"], "of the team he has least to do, and his name comes before Carol's"

    seen(world, issue).assignees = []
    world.approve(issue)
    world.reconcile()
    assert world.times() == 1
    assert assigned(world, issue) == [], "whom people took off stays off"
    assert sorted(seen(world, issue).labels) == ["C3", "change::complete"]
    names = SETTINGS + '[tool.runbook.labels]\nsucceeded = "ops::done"\nformer = ["change-management"]\n'
    world.commit({"pyproject.toml": names})
    world.reconcile()
    assert seen(world, issue).labels == ["ops::done"]
