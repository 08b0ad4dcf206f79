"""The order of things in an attempt: forward, the second look, the undoing, and what always comes last."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from runner.execution import transcript
from runner.execution.order import Mode
from runner.execution.outcome import ExitReason, Fate
from runner.ledger.bodies import Rollback, Status

from .conftest import Prepare, started, until

FAILED, OK, NOT_RUN = Fate.FAILED, Fate.OK, Fate.NOT_RUN


def test_a_dead_kernel_is_told_and_undone_in_a_fresh_one(execute: Prepare) -> None:
    run = execute(
        ("parameters", "where = 'nowhere'"),
        (
            "setup",
            "from pathlib import Path\nfrom runner.toolkit import record, recorded\nlog = Path(Path.home() / 'log')",
        ),
        ("change", "record('old', 'blue')\nlog.open('a').write('change 1\\n')"),
        ("rollback", "print('undo 1', recorded('old'), where)\nlog.open('a').write('undo 1\\n')"),
        ("change", "log.open('a').write('change 2\\n')\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)"),
        ("rollback", "log.open('a').write('undo 2\\n')"),
        ("verify", "print('never')"),
        ("always", "print(log.read_text())"),
        injected="where = 'here'\n",
    )
    outcome = run.outcome
    assert (outcome.status, outcome.exit_reason) == (Status.FAILED, ExitReason.KERNEL_DIED)
    assert run.cell("c4").error == "kernel died"
    assert (run.fates()["c4"], run.fates()["c6"]) == (FAILED, NOT_RUN)
    assert outcome.rollback is Rollback.COMPLETE
    assert run.text("c3").startswith("undo 1 blue here")
    assert run.text("c7").startswith("change 1\nchange 2\nundo 2\nundo 1\n")


def test_a_swallowed_timeout_is_a_timeout_and_undone_from_last_to_first(execute: Prepare) -> None:
    run = execute(
        ("setup", "done = []"),
        ("change", "done.append('a')"),
        ("rollback", "done.append('undo a')"),
        ("change", "done.append('b')"),
        ("rollback", "done.append('undo b')\nraise ValueError('undoing b')"),
        (
            "change",
            "#| timeout: 1s\nimport time\ntry:\n    time.sleep(60)\nexcept BaseException:\n    print('swallowed')",
        ),
        ("rollback", "done.append('undo c')"),
        ("change", "done.append('never')"),
        ("rollback", "done.append('never')"),
        ("always", "print(done)"),
    )
    assert (run.outcome.status, run.outcome.exit_reason) == (Status.TIMED_OUT, ExitReason.CELL_TIMEOUT)
    assert run.fates()["c5"] is Fate.TIMED_OUT
    assert "1 s" in run.cell("c5").error
    assert run.fates()["c7"] is NOT_RUN
    assert run.text("c5") == "swallowed\n"
    # The undoing of b failed, so a is left alone.
    assert run.text("c9") == "['a', 'b', 'undo c', 'undo b']\n"
    assert run.fates("rollback") == {"c2": NOT_RUN, "c4": FAILED, "c6": OK, "c8": NOT_RUN}
    assert run.outcome.rollback is Rollback.PARTIAL


def test_a_failing_always_cell_makes_a_run_fail_without_undoing_it(execute: Prepare) -> None:
    run = execute(("change", "1"), ("rollback", "1"), ("always", "1 / 0"))
    assert (run.outcome.status, run.outcome.exit_reason) == (Status.FAILED, ExitReason.CELL_ERROR)
    assert "ZeroDivisionError" in run.outcome.message
    assert run.outcome.rollback is Rollback.NOT_NEEDED


def test_a_second_signal_leaves_out_what_always_comes_last(prepare: Prepare) -> None:
    run = prepare(("change", "import time\ntime.sleep(60)"), ("always", "import time\ntime.sleep(60)"))
    process = run.start()
    until(started(run, "c0"))
    os.kill(process.pid, signal.SIGTERM)
    until(started(run, "c1"))
    os.kill(process.pid, signal.SIGTERM)
    run.wait(process)
    assert run.outcome.status is Status.CANCELLED
    assert run.fates("always") == {"c1": Fate.INTERRUPTED}


def test_a_person_who_cancels_may_have_it_undone(prepare: Prepare) -> None:
    run = prepare(
        ("change", "print('one')"),
        ("rollback", "print('undone')"),
        ("read", "import time\ntime.sleep(60)"),
        ("always", "print('cleaned')"),
    )
    process = run.start()
    until(started(run, "c2"))
    (run.spool / "cancel").write_text("rollback")
    run.wait(process)
    assert run.outcome.status is Status.CANCELLED
    assert run.outcome.rollback is Rollback.COMPLETE
    assert (run.text("c1"), run.text("c3")) == ("undone\n", "cleaned\n")


def test_the_second_look_stops_before_the_first_change(execute: Prepare, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("3 rows\n")
    cells = (
        (
            "plan",
            f"#| normalise: timestamps\nimport datetime\nprint(open({str(state)!r}).read(), datetime.datetime.now())",
        ),
        ("change", "print('changed')"),
        ("always", "print('cleaned')"),
    )
    rehearsal = execute(*cells, mode=Mode.REHEARSE, plan_digest=None, start=None)
    assert rehearsal.outcome.status is Status.SUCCEEDED
    assert rehearsal.fates() == {"c0": OK}
    seen = {"plan_outputs": rehearsal.outcome.plan_outputs, "fingerprint": rehearsal.outcome.fingerprint}
    same = execute(*cells, **seen)
    assert same.outcome.status is Status.SUCCEEDED
    assert same.outcome.fingerprint == rehearsal.outcome.fingerprint
    state.write_text("4000 rows\n")
    moved = execute(*cells, **seen)
    assert (moved.outcome.status, moved.outcome.exit_reason) == (Status.FAILED, ExitReason.STATE_MOVED)
    assert "-3 rows\n+4000 rows" in moved.outcome.moved
    assert moved.fates() == {"c0": OK, "c1": NOT_RUN}
    assert moved.outcome.rollback is Rollback.NOT_NEEDED
    assert moved.text("c2") == "cleaned\n"
    resumed = execute(*cells, **seen, attempt=2)
    assert resumed.outcome.exit_reason is ExitReason.STATE_MOVED
    # Only where changes of our own may be in place is what the plan cells show kept and not compared.
    resumed = execute(*cells, **seen, attempt=2, moved_by_us=True)
    assert resumed.outcome.status is Status.SUCCEEDED
    assert "4000 rows" in resumed.outcome.plan_outputs["c0"]


def test_a_rehearsal_has_the_read_secrets_only_and_a_failing_cell_fails_it(execute: Prepare) -> None:
    run = execute(
        ("setup", "from runner.toolkit import secret\nassert len(secret('READ_PW')) == 11"),
        ("plan", "secret('CHANGE_PW')"),
        ("change", "print('never')"),
        ("always", "print('never')"),
        mode=Mode.REHEARSE,
        secrets={"READ_PW": "read-only-9", "CHANGE_PW": "all-powerful-9"},
        read_secrets=("READ_PW",),
        change_secrets=("CHANGE_PW",),
    )
    assert (run.outcome.status, run.outcome.exit_reason) == (Status.FAILED, ExitReason.CELL_ERROR)
    assert "SecretUnavailable" in run.outcome.message
    assert run.fates() == {"c0": OK, "c1": FAILED}


def test_plan_outputs_that_are_not_the_approved_ones_stop_a_run_even_if_the_cells_show_the_same(
    execute: Prepare,
) -> None:
    run = execute(("plan", "print('3 rows')"), ("change", "1"), plan_outputs={"c0": "3 rows"}, fingerprint="0" * 64)
    assert run.outcome.exit_reason is ExitReason.STATE_MOVED
    assert run.fates() == {"c0": OK, "c1": NOT_RUN}
    assert "approved was " + "0" * 64 in run.outcome.moved


LOOKING = """
from runner.toolkit import secret, SecretUnavailable
try:
    secret("PW")
except SecretUnavailable:
    print("none")
"""


def test_a_change_secret_is_not_there_before_the_second_look_was_passed(execute: Prepare) -> None:
    run = execute(
        (
            "read",
            LOOKING,
        ),
        ("change", "print(len(secret('PW')))"),
        secrets={"PW": "correct-horse-battery"},
        read_secrets=(),
        change_secrets=("PW",),
    )
    assert run.outcome.status is Status.SUCCEEDED
    assert (run.text("c0"), run.text("c1")) == ("none\n", "21\n")


def test_conditions_leave_cells_out_and_a_run_goes_on_after_a_failure_where_it_is_said(execute: Prepare) -> None:
    run = execute(
        ("parameters", "environment = 'staging'"),
        ("setup", "from runner.toolkit import record"),
        ("read", "#| step: probe\n#| continue-on-failure: true\n1 / 0"),
        ("change", "#| step: prod-only\n#| when: environment == 'production'\nprint('never')"),
        ("rollback", "print('never')"),
        ("change", "#| step: act\n#| when: failed('probe') and skipped('prod-only')\nrecord('rows', 4)"),
        ("rollback", "print('never')"),
        ("verify", "#| when: recorded('rows') == 4 and ok('act')\nprint('looked')"),
        ("verify", "#| step: more\n#| when: recorded('rows') > 4\nprint('never')"),
        ("always", "#| when: failed('probe') and skipped('more')\nprint('told')"),
        injected="environment = 'staging'\n",
        parameters={"environment": "staging"},
    )
    assert (run.outcome.status, run.outcome.exit_reason) == (Status.FAILED, ExitReason.STEP_FAILED)
    assert run.outcome.message == "failed, and the run went on: probe; nothing was rolled back for it"
    assert run.outcome.rollback is Rollback.NOT_NEEDED
    assert {cell: fate for cell, fate in run.fates().items() if fate is not OK} == {
        "c2": FAILED, "c3": Fate.SKIPPED, "c8": Fate.SKIPPED,
    }  # fmt: skip
    assert run.cell("c3").why == "its condition is not met: environment == 'production'"
    assert run.cell("c3").started is None
    assert [run.text(cell) for cell in ("c7", "c9")] == ["looked\n", "told\n"]
    assert set(run.fates("rollback").values()) == {NOT_RUN}
    lines = transcript.lines((run.spool / transcript.NAME).read_bytes())
    assert [line.cell.fate for line in lines if line.cell and line.cell.id == "c3"] == [NOT_RUN, Fate.SKIPPED]


def test_a_later_failure_is_undone_and_is_the_reason_though_the_run_went_on_before(execute: Prepare) -> None:
    run = execute(
        ("change", "#| step: first\n#| continue-on-failure: true\nraise OSError('busy')"),
        ("rollback", "print('undone first')"),
        ("change", "raise ValueError('second')"),
        ("rollback", "print('undone second')"),
    )
    assert (run.outcome.exit_reason, run.outcome.rollback) == (ExitReason.CELL_ERROR, Rollback.COMPLETE)
    assert "second" in run.outcome.message
    assert (run.text("c1"), run.text("c3")) == ("undone first\n", "undone second\n")


def test_a_condition_without_an_answer_stops_the_run_before_its_cell(execute: Prepare) -> None:
    run = execute(
        ("change", "print('changed')"),
        ("rollback", "print('undone')"),
        ("change", "#| step: scale\n#| when: recorded('rows') < 3\nprint('never')"),
    )
    assert (run.outcome.status, run.outcome.exit_reason) == (Status.FAILED, ExitReason.CELL_ERROR)
    assert "scale: its condition (recorded('rows') < 3) has no answer: nothing and a number" in run.outcome.message
    assert run.fates()["c2"] is NOT_RUN
    assert run.outcome.rollback is Rollback.COMPLETE
