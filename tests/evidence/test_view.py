"""The view in the work tree: read-only, unseen by Git, and only what is new is written."""

from __future__ import annotations

from pathlib import Path

from runner.evidence import layout, view
from tests.stories.world import World, git


def refreshed(world: World, person: str = "alice") -> int:
    with world.workspace(person) as opened:
        return view.refresh(opened.objects, branch="evidence")


def test_only_what_is_new_is_written(world: World) -> None:
    assert refreshed(world) == 1, "genesis"
    issue = world.planned()
    assert refreshed(world) == 3, "the plan, the words of the request, and the event"
    assert refreshed(world) == 0
    plan = world.clone("alice") / layout.plan_file(world.run(issue).id)
    assert plan.read_bytes() == world.evidence(layout.plan_file(world.run(issue).id))
    assert plan.stat().st_mode & 0o222 == 0
    assert git(world.clone("alice"), "status", "--short") == b""


def test_a_file_that_was_changed_there_is_put_right_when_all_is_written_again(world: World) -> None:
    refreshed(world)
    (mark,) = (world.clone("alice") / ".git").glob(view.MARK)
    event = next((world.clone("alice") / "outputs" / "ledger").rglob("*.json"))
    event.chmod(0o644)
    event.write_bytes(b"altered")
    mark.unlink()
    assert refreshed(world) == 1
    assert event.read_bytes() != b"altered"


def test_nothing_is_written_through_a_link(world: World, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (world.clone("alice") / "outputs").symlink_to(elsewhere)
    refreshed(world)
    assert list(elsewhere.iterdir()) == []


def test_a_torn_mark_only_costs_time(world: World) -> None:
    refreshed(world)
    (world.clone("alice") / ".git" / view.MARK).write_text("")
    assert refreshed(world) == 0


def test_what_git_is_to_overlook_is_noted_once(world: World) -> None:
    for _ in range(2):
        refreshed(world)
        (world.clone("alice") / ".git" / view.MARK).unlink()
    lines = (world.clone("alice") / ".git" / "info" / "exclude").read_text().splitlines()
    assert len([one for one in lines if one.startswith("/outputs/")]) == len(view.SHOWN)
