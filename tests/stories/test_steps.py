"""The story of a run whose steps say how they run: what people are told before and after, and what is on record."""

from __future__ import annotations

from runner.execution.outcome import ExitReason, Fate
from runner.ledger.bodies import Rollback, Status
from tests.stories.runbooks import made, trace
from tests.stories.world import World

COURSE = made(
    ("setup", "from pathlib import Path\nseen = []"),
    ("read", "#| step: probe\n#| retries: 2\nseen.append(1)\nassert len(seen) > 1, 'no answer yet'"),
    ("plan", "#| step: look\nprint('would write one line')"),
    ("change", '#| step: drain\n#| when: host == "db-1"\n#| irreversible: cut\n' + trace("drained")),
    ("change", '#| step: act\n#| when: ok("probe") and skipped("drain")\n' + trace("count")),
    ("rollback", trace("undone")),
    ("verify", "#| step: panel\n#| continue-on-failure: true\nassert (Path(folder) / 'fixed').exists()"),
    ("verify", '#| step: told\n#| when: failed("panel")\n' + trace("told")),
    title="Course",
)


def test_steps_are_tried_again_left_out_and_gone_on_after_and_all_of_it_is_told_and_verified(world: World) -> None:
    world.commit({"runbooks/course.ipynb": COURSE})
    issue = world.ask("course")
    world.reconcile()
    words = world.words(issue)
    assert '**Will skip** `drain`, whose condition is not met: `host == "db-1"`' in words
    assert '`told` runs only if `failed("panel")`' in words
    assert "IRREVERSIBLE" not in words
    world.approve(issue)
    world.reconcile()
    run = world.run(issue)
    assert (run.outcome, run.rollback) == (Status.FAILED, Rollback.NOT_NEEDED)
    result = world.manifest(run).result
    assert result.exit_reason == ExitReason.STEP_FAILED.value
    fates = {cell.name: cell.fate for cell in result.cells if cell.phase == "forward"}
    assert next(cell.tries for cell in result.cells if cell.name == "probe") == 2
    assert (fates["drain"], fates["act"], fates["panel"], fates["told"]) == (
        Fate.SKIPPED, Fate.OK, Fate.FAILED, Fate.OK,
    )  # fmt: skip
    assert "went on after `panel (failed)`" in world.words(issue)
    assert (world.times(), world.times("drained"), world.times("told")) == (1, 0, 1)

    (world.traces / "fixed").touch()
    world.say("alice", issue, f"/runbook resume {run.id} the panel is there again")
    world.reconcile()
    world.approve(issue)
    world.reconcile()
    again = world.run(issue)
    assert (again.attempt, again.outcome) == (2, Status.SUCCEEDED)
    fates = {cell.name: cell.fate for cell in world.manifest(again).result.cells if cell.phase == "forward"}
    assert (fates["act"], fates["panel"], fates["told"]) == (Fate.SKIPPED, Fate.OK, Fate.SKIPPED)
    assert (world.times(), world.times("told")) == (1, 1)
    said = world.cli("bob", "verify")
    assert said.code == 0, said.out
    world.check()
