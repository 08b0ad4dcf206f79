"""The story of a cancellation that the running cell does not want to hear: interrupt, grace, kill, and the truth."""

from __future__ import annotations

from runner.evidence import layout
from runner.execution.outcome import Fate
from runner.ledger.bodies import Rollback, Status
from tests.stories import runbooks
from tests.stories.world import World, wait_for

_UNDO_FIRST = """\
from pathlib import Path
from runner.toolkit import recorded
(Path(folder) / recorded('was')).touch()
"""
_STUBBORN = """\
#| step: stubborn
import signal, time
from pathlib import Path
signal.signal(signal.SIGINT, signal.SIG_IGN)
(Path(folder) / 'begun').touch()
time.sleep(300)
"""
STUBBORN = runbooks.made(
    ("change", "#| step: first\nfrom runner.toolkit import record\nrecord('was', 'blue')"),
    ("rollback", _UNDO_FIRST),
    ("change", _STUBBORN),
    ("rollback", runbooks.trace("undone")),
    ("always", runbooks.trace("always")),
    title="Stubborn",
)
"""Its second change ignores interrupts; its first is undone with what it recorded."""


def test_a_cell_that_ignores_the_interrupt_is_killed_and_all_that_began_is_undone_in_a_fresh_kernel(
    world: World,
) -> None:
    world.commit({"runbooks/stubborn.ipynb": STUBBORN})
    issue = world.started("stubborn")
    wait_for(world.traces / "begun")
    world.say("carol", issue, "/runbook cancel --rollback wrong host")
    world.reconcile()
    run = world.run(issue)
    assert (run.outcome, run.rollback) == (Status.CANCELLED, Rollback.COMPLETE)
    record = world.manifest(run)
    fates = {cell.name: cell.fate for cell in record.result.cells if cell.phase == "forward"}
    assert (fates["first"], fates["stubborn"]) == (Fate.OK, Fate.INTERRUPTED)
    assert (world.times("undone"), world.times("always"), (world.traces / "blue").exists()) == (1, 1, True)
    assert record.result.cancelled
    assert (record.result.cancelled.by, record.result.cancelled.mode, record.result.cancelled.reason) == (
        world.id("carol"),
        "rollback",
        "wrong host",
    )
    assert f"cancelled by `{world.id('carol')}` (rollback)" in world.evidence(layout.summary_file(run.id, 1)).decode()
    assert f"Cancelled by `{world.id('carol')}`: `wrong host`" in world.words(issue)
    assert world.cli("alice", "verify").code == 0
    world.check()
