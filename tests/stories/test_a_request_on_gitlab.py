"""A request from beginning to end in GitLab's own ways: template, owner, labels, links, freeze periods."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runner import wiring
from runner.adapters.forge import gitlab_freezes
from runner.ledger.bodies import Start
from runner.publication.issue_template import FOLDER
from tests.gitlab.contract import FILE
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.site import Freeze, Issue
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


def filled(world: World, template: str, *, related: str) -> str:
    """A template as somebody sends it."""
    body = template.replace("folder:", f'folder: "{world.traces}"')
    return body.replace('# related: "#12 !34"', f'related: "{related}"')


def templated(world: World) -> str:
    """The template of a runbook, committed by nobody, in a project that has its labels."""
    world.commit({"pyproject.toml": SETTINGS_HERE})
    assert world.cli("alice", "form", "--gitlab").code == 0
    at(world).seeded.project.labels |= {"change::unscheduled": 901, "C3": 902}
    return (world.clone("alice") / FOLDER / "count.md").read_text()


def surrounded(world: World) -> tuple[str, str]:
    """Another issue, and a confidential one; and Alice has more to do than others."""
    other = world.open_issue("bob", "Disk is filling up", "Look at it.")
    hidden = world.open_issue("bob", "An embargo", "Hush.")
    seen(world, hidden).confidential = True
    alice = at(world).server.site.named("alice")
    assert alice
    seen(world, other).assignees = [alice]
    return other, hidden


def test_a_request_from_a_template_is_assigned_labelled_linked_held_and_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gitlab_freezes, "FRESH", 0.0)
    template = templated(world)
    empty = world.open_issue("alice", "Count", template)
    world.reconcile(wait=False)
    assert "folder: is required and was not given" in world.words(empty)
    assert (sorted(seen(world, empty).labels), assigned(world, empty)) == (["C3", "change::unscheduled"], [])

    other, hidden = surrounded(world)
    body = filled(world, template, related=f"#{other} #{hidden} !1 #9999")
    issue = world.open_issue("alice", "Count, please", body)
    world.reconcile(wait=False)
    plan = world.thread(issue).comments[1].body
    assert f"\n- related: #{other}, !1\n" in plan
    links = [(one[1], one[2]) for one in at(world).seeded.project.links]
    assert links == [(seen(world, issue).id, seen(world, other).id)]
    assert sorted(seen(world, issue).labels) == ["C3", "change::unscheduled"]
    assert assigned(world, issue) == ["bob"], "of the team he has least to do, and his name comes before Carol's"

    seen(world, issue).assignees = []
    world.approve(issue)
    frozen, waits = freeze(world)
    world.reconcile()
    assert sorted(seen(world, issue).labels) == ["C3", "change::scheduled"], "no approval is missing, only time"
    assert waiting(world) == [waits]
    frozen.end = frozen.start
    away = at(world).server.faults.order(Fault(kind=Kind.STATUS, path="/freeze_periods", times=1_000))
    world.reconcile()
    assert world.times() == 0
    assert "cannot be read, so nothing starts" in waiting(world)[0], "no answer is never no freeze"
    away.times = 0
    world.reconcile()
    assert world.times() == 1
    (start,) = (event.body for event in world.events() if isinstance(event.body, Start))
    assert [(one.id, one.start, one.end) for one in start.freezes] == [("7", frozen.start, frozen.end)]
    assert world.cli("carol", "verify").code == 0

    assert assigned(world, issue) == [], "whom people took off stays off"
    assert sorted(seen(world, issue).labels) == ["C3", "change::complete"]
    names = SETTINGS + '[tool.runbook.labels]\nsucceeded = "ops::done"\nformer = ["change-management"]\n'
    world.commit({"pyproject.toml": names})
    world.reconcile()
    assert seen(world, issue).labels == ["ops::done"]


def freeze(world: World) -> tuple[Freeze, str]:
    """A freeze period that is open now, and how people are told."""
    now = wiring.now()
    start, end = (f"{one:%-M %-H %-d %-m} *" for one in (now - timedelta(hours=2), now + timedelta(hours=2)))
    frozen = Freeze(id=7, start=start, end=end, zone="UTC", created=now)
    at(world).seeded.project.freezes[7] = frozen
    until = f"{now + timedelta(hours=2):%Y-%m-%d %H:%M}+00:00"
    return frozen, f'held by the forge\'s freeze period 7 ("{start}" to "{end}", UTC) until {until}'


def waiting(world: World) -> list[str]:
    """What a run waits for, as somebody sees who asks for the status."""
    (live,) = json.loads(world.cli("carol", "status", "--json").out)["live"]
    return list(live["waits_for"])
