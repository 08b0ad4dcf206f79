"""Executing cells: what papermill would call success is judged by the kernel's own replies."""

from __future__ import annotations

import json
import os

import pytest

from runner.execution.outcome import ExitReason, Fate
from runner.ledger.bodies import Rollback, Status

from .conftest import Prepare, notebook, processes

FAILED, OK, NOT_RUN = Fate.FAILED, Fate.OK, Fate.NOT_RUN


@pytest.mark.parametrize(
    ("source", "reason", "error"),
    [
        ("import os\nos._exit(0)", ExitReason.KERNEL_DIED, "kernel died"),
        ("import sys\nsys.exit(0)", ExitReason.EARLY_EXIT, "SystemExit"),
        ("quit()", ExitReason.EARLY_EXIT, "asked the kernel to exit"),
        ("!false", ExitReason.CELL_ERROR, "CalledProcessError"),
        ("%%bash\nfalse | true\necho on", ExitReason.CELL_ERROR, "CalledProcessError"),
        ("%%sh\nfalse\necho on", ExitReason.CELL_ERROR, "CalledProcessError"),
        ("input('who?')", ExitReason.CELL_ERROR, "StdinNotImplementedError"),
    ],
)
def test_what_looks_like_success_to_papermill_is_not(
    *, execute: Prepare, source: str, reason: ExitReason, error: str
) -> None:
    run = execute(("read", "1"), ("change", source), ("verify", "print('never')"))
    assert (run.outcome.status, run.outcome.exit_reason) == (Status.FAILED, reason)
    assert run.fates() == {"c0": OK, "c1": FAILED, "c2": NOT_RUN}
    assert error in run.cell("c1").error
    assert run.outcome.rollback is Rollback.NOT_POSSIBLE
    assert run.text("c2") == ""


def test_a_tag_that_allows_exceptions_allows_nothing(execute: Prepare) -> None:
    run = execute(("change,raises-exception", "1 / 0"), ("verify", "print('never')"))
    assert run.outcome.exit_reason is ExitReason.CELL_ERROR
    assert run.fates() == {"c0": FAILED, "c1": NOT_RUN}


def test_a_cell_that_ignores_interrupts_is_killed_after_the_runs_time(execute: Prepare) -> None:
    run = execute(
        ("change", "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(300)"),
        ("rollback", "print('undone')"),
        ("always", "1 / 0"),
        timeout=4.0,
    )
    assert (run.outcome.status, run.outcome.exit_reason) == (Status.TIMED_OUT, ExitReason.RUN_TIMEOUT)
    assert run.fates() == {"c0": Fate.TIMED_OUT}
    assert run.text("c1") == "undone\n"
    assert run.outcome.rollback is Rollback.COMPLETE
    assert run.fates("always") == {"c2": FAILED}


def test_a_flood_of_output_is_bounded_and_said_and_fills_nobodys_memory(prepare: Prepare) -> None:
    peak = "import resource\nprint('kernel', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    flood = "line = 'y' * 999_999\nfor _ in range(400):\n    print(line)"
    run = prepare(("read", flood), ("read", peak), ("change", "print('on')"))
    process = run.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert run.outcome.status is Status.SUCCEEDED
    # What is kept is 64 MB, and there are a few copies of it while it is masked, scanned and sealed.
    assert usage.ru_maxrss // 1024 < 600
    assert int(run.text("c1").split()[1]) < 200
    assert "were not kept" in run.text("c0")
    assert sum(artifact.size for artifact in run.outcome.artifacts) <= 64 * 1024 * 1024
    assert run.text("c2") == "on\n"


def test_a_cell_that_no_interrupt_reaches_is_killed_with_all_that_it_started(execute: Prepare) -> None:
    # A call in C that keeps the interpreter's lock: not even the kernel's own thread for interrupts runs.
    held = "#| timeout: 1s\nimport ctypes, subprocess\nsubprocess.Popen(['setsid', 'sleep', '4327'])\n"
    run = execute(
        ("change", held + "ctypes.PyDLL(None).sleep(300)"),
        ("rollback", "print('undone')"),
        environment={"RUNBOOK_RUN_ID": "held-4327"},
    )
    assert (run.outcome.status, run.outcome.exit_reason) == (Status.TIMED_OUT, ExitReason.CELL_TIMEOUT)
    assert run.outcome.rollback is Rollback.COMPLETE
    assert run.text("c1") == "undone\n"
    assert run.outcome.seconds < 60
    assert not processes("held-4327")


def test_a_notebook_of_format_4_4_runs_and_every_output_lands_in_its_own_cell(execute: Prepare) -> None:
    whole = json.loads(
        notebook(
            ("md", "# Words"),
            ("parameters", "n = 1"),
            ("read", "print('read', n)"),
            ("change", ""),
            ("change", "print('change', n)"),
            ("verify", "n + 1"),
        )
    )
    whole["nbformat_minor"] = 4
    for cell in whole["cells"]:
        del cell["id"]
    run = execute(content=json.dumps(whole).encode(), injected="n = 5\n", parameters={"n": 5})
    assert (run.outcome.message, run.outcome.status) == ("", Status.SUCCEEDED)
    cells = run.executed["cells"]
    assert isinstance(cells, list)
    assert [cell["id"] for cell in cells] == [
        "cell-0", "cell-1", "injected-parameters", "cell-2", "cell-3", "cell-4", "cell-5",
    ]  # fmt: skip
    sources = ["# Words", "n = 1", "n = 5\n", "print('read', n)", "", "print('change', n)", "n + 1"]
    assert ["".join(cell["source"]) for cell in cells] == sources
    shown = {f"cell-{at}": run.text(f"cell-{at}") for at in (1, 2, 3, 4, 5)}
    assert shown == {"cell-1": "", "cell-2": "read 5\n", "cell-3": "", "cell-4": "change 5\n", "cell-5": "6"}
    ran = {"cell-1", "injected-parameters", "cell-2", "cell-4", "cell-5"}
    assert run.fates() == dict.fromkeys(ran, OK)
    assert {fate.id: fate.index for fate in run.outcome.cells if fate.id in {"cell-2", "cell-5"}} == {
        "cell-2": 2, "cell-5": 5,
    }  # fmt: skip


def test_an_updated_display_shows_its_last_state_and_no_later_cell_rewrites_it(execute: Prepare) -> None:
    run = execute(
        ("setup", "from IPython.display import clear_output, display"),
        ("read", "shown = display('first', display_id='x')\nshown.update('second')\nprint('kept')"),
        ("read", "print('gone')\nclear_output(wait=True)\nprint('left')\nshown.update('other')"),
    )
    assert run.outcome.status is Status.SUCCEEDED
    assert run.text("c1") == "'second'kept\n"
    assert run.text("c2") == "left\n"


def test_what_a_cell_shows_without_an_end_is_kept_until_its_end(execute: Prepare) -> None:
    run = execute(("read", "print('before')\nraise ValueError('here')"), ("read", "print('never')"))
    assert run.text("c0").startswith("before\n")
    assert run.cell("c0").error == "ValueError: here"
    assert run.cell("c1").started is None
