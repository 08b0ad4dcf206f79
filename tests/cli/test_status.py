from __future__ import annotations

import json

from tests.stories.world import World, wait_for

from .conftest import Lived, Typed


def test_a_script_gets_locks_what_waits_what_was_and_the_next_command(lived: Lived, typed: Typed) -> None:
    said = json.loads(typed("bob", "status", "--json").out)
    assert set(said) == {"halted", "locks", "live", "owed", "last", "next"}
    (waiting,) = said["live"]
    assert (waiting["run"], waiting["state"]) == (lived.waiting, "planned")
    assert waiting["waits_for"]
    assert {one["run"] for one in said["last"]} == {lived.good, lived.bad}
    assert said["locks"] == {}
    assert said["next"] == f"runbook approve {waiting['plan'][:12]}"


def test_only_one_target(lived: Lived, typed: Typed) -> None:
    said = json.loads(typed("bob", "status", "--target", "lab/web-1", "--json").out)
    assert said["live"] == []
    assert [one["run"] for one in said["last"]] == [lived.good]
    assert said["next"] == f"runbook show {lived.good}"
    assert json.loads(typed("bob", "status", "--target", "lab/none", "--json").out)["next"] == "runbook list"


def test_one_screen_says_what_waits_for_whom_and_what_to_type(lived: Lived, typed: Typed) -> None:
    out = typed("bob", "status", columns=80).out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert len(out.splitlines()) <= 24 + 4
    assert "Locks: nothing" in out
    assert lived.waiting in out.split()
    assert "needs 1 more" in out
    assert out.splitlines()[-1].startswith("Next: runbook approve ")


def test_whoever_holds_a_lock_is_named(world: World) -> None:
    issue = world.started()
    wait_for(world.traces / "begun")
    said = json.loads(world.cli("bob", "status", "--json").out)
    assert said["locks"] == {"lab/web-1": world.run(issue).id}
    (live,) = said["live"]
    assert (live["state"], live["waits_for"], live["next"]) == ("started", ["its worker"], "runbook reconcile --once")
    (world.traces / "go").touch()
    world.reconcile()
