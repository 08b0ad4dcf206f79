"""`runbook doctor` as it is typed, on plain Git: the checks that make sense there, and how they look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Lived, Typed
from tests.stories.world import World, git


def keeping(world: World) -> None:
    """Do to the remote what the doctor says."""
    for name in ("receive.denyNonFastForwards", "receive.denyDeletes"):
        git(world.remote, "config", name, "true")


def test_plain_git_is_clean_once_its_remote_keeps_its_history(world: World) -> None:
    before = world.cli("alice", "doctor")
    assert before.code == 6
    assert "receive.denyNonFastForwards true" in before.out
    keeping(world)
    done = world.cli("alice", "doctor", "--json")
    found = json.loads(done.out)
    assert [one for one in found if one["standing"] != "fine"] == []
    assert done.code == 0
    assert {one["check"] for one in found} == {
        *("D01", "D11", "D18", "D19", "D20", "D21", "D22", "D23", "D24", "D25", "D26", "D27", "D28", "D29")
    }


@pytest.mark.parametrize("columns", [80, 120])
def test_it_fits_the_terminal_and_names_what_is_fine_by_its_title(typed: Typed, columns: int) -> None:
    told = typed("bob", "doctor", columns=columns)
    assert max(len(line.rstrip()) for line in told.out.splitlines()) <= columns
    assert "D11  wrong" in told.out
    assert "fix: in the remote's folder:" in told.out
    assert "D19  fine" in told.out
    assert told.out.rstrip().splitlines()[-1].endswith("1 wrong")


def test_a_folder_that_is_no_clone_and_one_that_is_not_set_up_are_told_and_nothing_else_is_fine(
    world: World, tmp_path: Path
) -> None:
    with world.on():
        git(tmp_path, "init", "-q", "-b", "main")
    done = world.cli("alice", "-C", str(tmp_path), "doctor", "--json")
    first, *rest = json.loads(done.out)
    assert (done.code, first["standing"]) == (6, "wrong")
    assert {one["standing"] for one in rest} == {"not checked"}
    told = world.cli("alice", "-C", str(tmp_path), "doctor").out
    assert told.count("without settings nobody knows what to look at") == 1, "one reason is told once"
    assert told.count("as D02") == len(rest) - 1


def test_a_remote_that_is_away_leaves_everything_as_it_was_last_fetched(lived: Lived, typed: Typed) -> None:
    away = lived.world.remote.with_name("away.git")
    lived.world.remote.rename(away)
    try:
        done = typed("bob", "doctor", "--json")
    finally:
        away.rename(lived.world.remote)
    found = {one["check"]: one for one in json.loads(done.out) if one["standing"] == "not checked"}
    assert {"D01", "D18"} <= set(found)


def test_a_maintainers_token_that_others_may_read_is_refused(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("glpat-secret")
    file.chmod(0o644)
    done = typed("bob", "doctor", "--maintainer-token", str(file))
    assert (done.code, "others may read" in done.err, "glpat" in done.err) == (6, True, False)
