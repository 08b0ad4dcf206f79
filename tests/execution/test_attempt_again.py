"""Attempts that rest on earlier ones: what was done is not repeated, and what a run did is undone by a later run."""

from __future__ import annotations

from pathlib import Path

from runner.execution.order import Mode
from runner.execution.outcome import ExitReason, Fate, done_before
from runner.ledger.bodies import Rollback, Status

from .conftest import Prepare, started, until

FAILED, OK, NOT_RUN, SKIPPED = Fate.FAILED, Fate.OK, Fate.NOT_RUN, Fate.SKIPPED


def test_what_an_earlier_attempt_did_is_not_repeated_and_its_recorded_results_are_there(execute: Prepare) -> None:
    run = execute(
        ("setup", "from runner.toolkit import record, recorded"),
        ("read", "print('looked again')"),
        ("change", "raise SystemError('this would repeat it')"),
        ("change", "print('old was', recorded('old'))\nrecord('new', 2)"),
        ("verify", "print('verified')"),
        attempt=2,
        done={"c2": 1},
        records={"old": {"colour": "blue"}},
        moved_by_us=True,
    )
    assert run.outcome.status is Status.SUCCEEDED, run.outcome.message
    assert run.fates() == {"c0": OK, "c1": OK, "c2": SKIPPED, "c3": OK, "c4": OK}
    assert run.cell("c2").why == "done in attempt 1"
    assert done_before(run.cell("c2"))
    assert run.text("c3").startswith("old was {'colour': 'blue'}")
    assert run.outcome.records == {"old": {"colour": "blue"}, "new": 2}


UNDONE = (
    ("setup", "from pathlib import Path\nfrom runner.toolkit import recorded\nlog = Path(Path.home() / 'log')"),
    ("change", "log.open('a').write('one\\n')"),
    ("rollback", "log.open('a').write(f'undo one of {recorded(\"first\")}\\n')"),
    ("change", "raise ValueError('again')"),
    ("rollback", "log.open('a').write('undo two\\n')"),
    ("always", "print(log.read_text(), end='')"),
)


def test_a_later_attempt_that_fails_undoes_what_the_earlier_ones_did_too(execute: Prepare) -> None:
    run = execute(*UNDONE, attempt=2, done={"c1": 1}, records={"first": "attempt 1"}, moved_by_us=True)
    assert run.outcome.status is Status.FAILED
    assert run.outcome.rollback is Rollback.COMPLETE
    assert run.text("c5") == "undo two\nundo one of attempt 1\n"


def test_a_later_attempt_that_changes_nothing_leaves_what_was_done(execute: Prepare) -> None:
    looking = (("setup", "pass"), ("read", "1 / 0"), ("change", "pass"), ("rollback", "print('never')"))
    run = execute(*looking, attempt=2, done={"c2": 1}, moved_by_us=True)
    assert run.outcome.rollback is Rollback.NOT_NEEDED
    assert run.fates() == {"c0": OK, "c1": FAILED, "c2": SKIPPED}
    assert run.fates("rollback") == {"c3": NOT_RUN}


def test_who_cancels_a_later_attempt_may_have_the_earlier_changes_undone(prepare: Prepare) -> None:
    cells = (("read", "import time\ntime.sleep(60)"), ("change", "pass"), ("rollback", "print('undone')"))
    run = prepare(*cells, attempt=2, done={"c1": 1}, moved_by_us=True)
    process = run.start()
    until(started(run, "c0"))
    (run.spool / "cancel").write_text("rollback")
    run.wait(process)
    assert (run.outcome.status, run.outcome.rollback) == (Status.CANCELLED, Rollback.COMPLETE)
    assert run.text("c2") == "undone\n"


def reverting(state: Path, *, undo: str = "state.write_text(recorded('before'))") -> tuple[tuple[str, str], ...]:
    return (
        ("setup", f"from pathlib import Path\nfrom runner.toolkit import recorded\nstate = Path({str(state)!r})"),
        ("plan", "print('it says', state.read_text())"),
        ("change", "raise SystemError('never in a revert')"),
        ("rollback", f"print('undo one')\n{undo}"),
        ("change", "raise SystemError('never in a revert')"),
        ("rollback", "print('undo two')\nassert state.read_text() == 'green'"),
        ("change", "raise SystemError('it never began, so it is not undone')"),
        ("rollback", "raise SystemError('it never began, so it is not undone')"),
        ("verify", "raise SystemError('never in a revert')"),
        ("always", "print('cleaned')"),
    )


REVERT = {
    "mode": Mode.REVERT,
    "undo": ("c4", "c2"),
    "records": {"before": "blue"},
    "plan_outputs": {"c1": "it says green"},
    "restored": {"c1": "it says blue"},
}


def test_a_revert_undoes_from_the_last_change_to_the_first_and_proves_the_state(
    execute: Prepare, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.write_text("green")
    seen = execute(*reverting(state), mode=Mode.REHEARSE, plan_digest=None, start=None).outcome.fingerprint
    run = execute(*reverting(state), **REVERT, fingerprint=seen)
    assert run.outcome.status is Status.SUCCEEDED, run.outcome.message
    assert run.outcome.restored is True
    assert list(run.fates()) == ["c0", "c1", "c5", "c3"]
    assert set(run.fates().values()) == {OK}
    assert run.fates("always") == {"c9": OK}
    assert run.fates("proof") == {"c1": OK}
    assert run.outcome.rollback is Rollback.NOT_NEEDED
    assert run.text("c1") == "it says green\n"
    assert state.read_text() == "blue"


def test_a_revert_that_does_not_restore_the_state_fails_and_says_what_is_different(
    execute: Prepare, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.write_text("green")
    cells = reverting(state, undo="state.write_text('turquoise')")
    seen = execute(*cells, mode=Mode.REHEARSE, plan_digest=None, start=None).outcome.fingerprint
    run = execute(*cells, **REVERT, fingerprint=seen)
    assert (run.outcome.status, run.outcome.exit_reason) == (Status.FAILED, ExitReason.NOT_RESTORED)
    assert run.outcome.restored is False
    assert "-it says blue\n+it says turquoise" in run.outcome.moved
    assert "--- before/c1\n+++ after the revert/c1" in run.outcome.moved


def test_a_revert_that_stops_on_its_way_says_so_and_nothing_undoes_it(execute: Prepare, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("green")
    cells = reverting(state, undo="raise ValueError('locked')")
    run = execute(*cells, **REVERT | {"plan_outputs": {}, "moved_by_us": True})
    assert (run.outcome.status, run.outcome.rollback) == (Status.FAILED, Rollback.NOT_POSSIBLE)
    assert run.fates() == {"c0": OK, "c1": OK, "c5": OK, "c3": FAILED}
    assert run.outcome.restored is None
    again = execute(*reverting(state), **REVERT, attempt=2, moved_by_us=True, done={"c5": 1})
    assert again.outcome.restored is True
    assert again.fates() == {"c0": OK, "c1": OK, "c5": SKIPPED, "c3": OK}


def test_a_revert_refuses_when_the_state_has_moved_since_its_plan(execute: Prepare, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("red")
    run = execute(*reverting(state), **REVERT, fingerprint="0" * 64)
    assert run.outcome.exit_reason is ExitReason.STATE_MOVED
    assert run.outcome.rollback is Rollback.NOT_NEEDED
    assert state.read_text() == "red"


def test_a_revert_is_cancelled_while_it_undoes(prepare: Prepare, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("green")
    run = prepare(
        *reverting(state, undo="import time\ntime.sleep(60)"), **REVERT | {"plan_outputs": {}}, moved_by_us=True
    )
    process = run.start()
    until(started(run, "c3"))
    (run.spool / "cancel").write_text("leave")
    run.wait(process)
    assert (run.outcome.status, run.outcome.rollback) == (Status.CANCELLED, Rollback.NOT_POSSIBLE)
    assert run.fates()["c3"] is Fate.INTERRUPTED
    assert run.fates("always") == {"c9": OK}
