"""Trying again: what is worth it, how long it waits, and what is left to read of each try."""

from __future__ import annotations

import time

import pytest

from runner.execution import transcript, tries
from runner.execution.fingerprint import fingerprint
from runner.execution.outcome import ExitReason, Fate
from runner.execution.phases import Step
from runner.execution.replies import Verdict
from runner.ledger.bodies import Rollback, Status

from .conftest import Prepare, Run, notebook, processes, until

STEP = Step(index=0, id="c0", role="read", name="probe", source="1", retries=10, backoff=5.0)
FAILED = Verdict(fate=Fate.FAILED, reason=ExitReason.CELL_ERROR)


def test_each_wait_is_twice_the_one_before_and_none_is_longer_than_five_minutes() -> None:
    waits = [tries.wait_before_next(STEP, FAILED, tried=tried, alive=True) for tried in range(1, 12)]
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300, 300, None]


@pytest.mark.parametrize("reason", ExitReason)
def test_only_a_cells_own_failure_in_a_living_kernel_is_tried_again(reason: ExitReason) -> None:
    verdict = Verdict(fate=Fate.FAILED, reason=reason)
    own = reason in {ExitReason.CELL_ERROR, ExitReason.CELL_TIMEOUT}
    assert (tries.wait_before_next(STEP, verdict, tried=1, alive=True) is not None) is own
    assert tries.wait_before_next(STEP, verdict, tried=1, alive=False) is None
    assert tries.wait_before_next(STEP, Verdict(fate=Fate.OK), tried=1, alive=True) is None


def test_a_failed_try_is_told_with_its_number_and_no_output_says_that_the_cell_failed() -> None:
    shown = tries.told(
        [
            {"output_type": "stream", "name": "stdout", "text": "asking\n"},
            {"output_type": "error", "ename": "ValueError", "evalue": "x", "traceback": ["Traceback", "ValueError: x"]},
        ],
        tried=2,
        of=4,
        error="ValueError: x",
    )
    assert [output["output_type"] for output in shown] == ["stream"] * 3
    assert [output["text"] for output in shown] == [
        "asking\n",
        "Traceback\nValueError: x\n",
        "[try 2 of 4 failed: ValueError: x]\n",
    ]


def fates(run: Run, cell: str) -> list[tuple[Fate, int]]:
    """Every fate that the transcript ever gave a cell, with its tries."""
    read = transcript.lines((run.spool / transcript.NAME).read_bytes())
    return [(line.cell.fate, line.cell.tries) for line in read if line.cell and line.cell.id == cell]


def test_a_cell_that_fails_is_tried_again_and_every_try_is_on_record(execute: Prepare) -> None:
    run = execute(
        ("setup", "from runner.toolkit import record\nasked = []"),
        ("read", "#| retries: 2\nasked.append(1)\nprint('asked', len(asked))\nassert len(asked) > 1, 'not yet'"),
        ("plan", "#| retries: 1\nasked.append(1)\nprint(len(asked), 'rows')\nassert len(asked) > 3"),
        ("change", "print('acted')"),
        plan_outputs={"c2": "4 rows"},
        fingerprint=fingerprint({"c2": "4 rows"}),
    )
    assert run.outcome.status is Status.SUCCEEDED
    assert fates(run, "c1") == [
        (Fate.NOT_RUN, 1), (Fate.RUNNING, 1), (Fate.FAILED, 1), (Fate.RUNNING, 2), (Fate.OK, 2),
    ]  # fmt: skip
    cell = run.cell("c1")
    assert (cell.tries, cell.error) == (2, "")
    assert cell.seconds is not None
    assert cell.seconds >= 1
    text = run.text("c1")
    places = [text.index(words) for words in ("asked 1", "Error", "[try 1 of 3 failed: AssertionError", "asked 2")]
    assert places == sorted(places)
    # Only the last try says how things are; what the first one saw is no part of what is approved.
    assert run.outcome.plan_outputs == {"c2": "4 rows"}
    rebuilt = transcript.outputs(transcript.lines((run.spool / transcript.NAME).read_bytes()))
    assert [output["text"] for output in rebuilt["c1"].outputs][-1] == "asked 2\n"
    assert len(rebuilt["c1"].outputs) == 4


def test_a_cell_that_keeps_failing_is_undone_after_its_last_try(execute: Prepare) -> None:
    run = execute(
        ("change", "#| step: act\n#| retries: 1\nprint('once more')\nraise OSError('busy')"),
        ("rollback", "print('undone')"),
    )
    assert (run.outcome.status, run.outcome.exit_reason) == (Status.FAILED, ExitReason.CELL_ERROR)
    assert run.outcome.message == "act (after 2 tries): OSError: busy"
    assert (run.cell("c0").tries, run.outcome.rollback) == (2, Rollback.COMPLETE)
    assert run.text("c0").count("once more\n") == 2


def test_a_cell_that_ends_its_kernel_is_not_tried_again(execute: Prepare) -> None:
    run = execute(("read", "#| retries: 3\nimport os\nos._exit(0)"))
    assert (run.outcome.exit_reason, run.cell("c0").tries) == (ExitReason.KERNEL_DIED, 1)


def test_a_cancelled_run_does_not_wait_for_another_try(prepare: Prepare) -> None:
    run = prepare(
        ("change", "#| retries: 3\n#| backoff: 5m\nprint('tried')\nraise OSError('busy')"),
        ("rollback", "print('undone')"),
        environment={"RUNBOOK_RUN_ID": "cancelled-4323"},
    )
    process = run.start()
    until(lambda: (run.spool / transcript.NAME).exists() and (Fate.FAILED, 1) in fates(run, "c0"))
    began = time.monotonic()
    (run.spool / "cancel").write_text("rollback")
    run.wait(process)
    assert time.monotonic() - began < 60
    assert (run.outcome.status, run.outcome.exit_reason) == (Status.CANCELLED, ExitReason.CANCELLED)
    assert (run.cell("c0").fate, run.cell("c0").error) == (Fate.FAILED, "OSError: busy")
    assert run.text("c0").count("tried\n") == 1
    assert run.text("c1") == "undone\n"


def test_a_worker_that_is_killed_between_two_tries_leaves_a_failed_cell_behind(prepare: Prepare) -> None:
    cells = (("change", "#| retries: 3\n#| backoff: 5m\nprint('tried')\nraise OSError('busy')"),)
    run = prepare(*cells, environment={"RUNBOOK_RUN_ID": "killed-4328"})
    process = run.start()
    shown = "try 1 of 4 failed"
    until(lambda: (run.spool / transcript.NAME).exists() and shown in (run.spool / transcript.NAME).read_text())
    process.kill()
    run.wait(process)
    left = (run.spool / transcript.NAME).read_bytes()
    executed, known = transcript.rebuild(left, notebook(*cells))
    assert [(cell.fate, cell.error, cell.tries) for cell in known] == [(Fate.FAILED, "OSError: busy", 1)]
    assert b"tried" in executed
    assert shown.encode() in executed
    until(lambda: not processes("killed-4328"))


LEAVING = """#| timeout: 2s
#| retries: 1
import pathlib, subprocess, time
told.append(1)
if len(told) == 1:
    subprocess.Popen(["setsid", "sleep", "4324"])
    time.sleep(60)
for place in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
    try:
        words = place.read_bytes()
    except OSError:
        continue
    if words.startswith(b"sleep"):
        print(words.replace(b"\\0", b" ").decode())
"""


def test_what_a_timed_out_cell_started_is_gone_and_what_others_started_is_not(execute: Prepare) -> None:
    run = execute(
        ("setup", "import subprocess\ntold = []\nearlier = subprocess.Popen(['setsid', 'sleep', '4325'])"),
        ("read", LEAVING),
        ("read", "print(earlier.poll())"),
        environment={"RUNBOOK_RUN_ID": "leaving-4324"},
    )
    assert run.outcome.status is Status.SUCCEEDED
    assert "sleep 4325" in run.text("c1")
    assert "sleep 4324" not in run.text("c1")
    assert run.text("c2") == "None\n"
    assert not processes("leaving-4324")
