"""`runbook watch`, typed: it waits for what waits, shows what happens, and ends as the run ends."""

from __future__ import annotations

import json

from tests.cli.conftest import Lived, Typed
from tests.stories.world import World, wait_for


def test_a_run_that_is_over_is_told_and_its_end_is_the_exit_code(typed: Typed, lived: Lived) -> None:
    good = typed("bob", "watch", lived.good)
    assert (good.code, f"{lived.good}: finished: succeeded" in good.out) == (0, True)
    bad = typed("bob", "watch", lived.bad)
    assert (bad.code, "finished: failed" in bad.out) == (1, True)
    assert "verify (cell 5): failed" in bad.err


def test_scripts_get_a_line_for_each_change(typed: Typed, lived: Lived) -> None:
    said = typed("bob", "watch", lived.bad, "--json")
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [(line["run"], line["state"], line["outcome"]) for line in lines] == [(lived.bad, "finished", "failed")]
    assert {cell["fate"] for cell in lines[0]["cells"]} >= {"ok", "failed"}
    assert said.err == ""


def test_what_is_no_run_is_refused(typed: Typed) -> None:
    said = typed("bob", "watch", "20200101T000000Z-nothing")
    assert said.code == 2
    assert "there is none" in said.err


def test_it_watches_a_run_to_its_end_from_another_clone_of_the_machine(world: World) -> None:
    issue = world.started()
    wait_for(world.traces / "begun")
    with world.start_cli("bob", "watch") as watching:
        assert watching.stderr is not None
        seen = ""
        while "change (cell" not in seen:
            seen += watching.stderr.readline()
        (world.traces / "go").touch()
        world.reconcile()
        out, err = watching.communicate(timeout=120)
    assert watching.returncode == 0
    assert f"{world.run(issue).id} is started; waits for" in seen
    assert "succeeded" in out
    assert "Traceback" not in err
