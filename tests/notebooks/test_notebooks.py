"""The notebooks of `notebooks/`, executed as a reader would, with nothing but the installed package and no network."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.ledger.bodies import Status
from tests.audit.ledgers import History, a_history

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def execute(name: str, folder: Path, **parameters: str) -> dict[str, Any]:
    """Execute a notebook in a folder, with a home of its own, and return it with its outputs."""
    out = folder / "out.ipynb"
    command = [sys.executable, "-P", "-m", "papermill", "--kernel", "python3", "--no-progress-bar"]
    command += [str(ROOT / "notebooks" / f"{name}.ipynb"), str(out)]
    for key, value in parameters.items():
        command += ["-r", key, value]
    (folder / "home").mkdir()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "RUNBOOK_", "XDG_"))}
    environment = kept | {"HOME": str(folder / "home"), "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    executed: dict[str, Any] = json.loads(out.read_text())
    return executed


def outputs(executed: dict[str, Any], cell: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = next(one for one in executed["cells"] if one["id"] == cell)["outputs"]
    return found


def printed(executed: dict[str, Any], cell: str) -> str:
    return "".join("".join(one.get("text", [])) for one in outputs(executed, cell))


def pictures(executed: dict[str, Any]) -> int:
    return sum("image/png" in one.get("data", {}) for cell in executed["cells"] for one in cell.get("outputs", []))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert cells
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


def test_the_tutorial_goes_from_an_empty_folder_to_proven_evidence(tmp_path: Path) -> None:
    executed = execute("tutorial", tmp_path)
    assert "runbooks/greeting.ipynb: clean" in printed(executed, "lint-broken")
    assert re.search(r"R\d\d error", printed(executed, "lint-broken"))
    assert "No Spaces Please" in printed(executed, "ask-wrong")
    assert "never counts" in printed(executed, "approve-own")
    assert "finished: succeeded" in printed(executed, "approve-run")
    assert "executed.ipynb" in printed(executed, "evidence-read")
    assert "Approved-By: bob@example.org" in printed(executed, "evidence-git")
    assert "clean: checked" in printed(executed, "verify-run")
    assert "I6 violated" in printed(executed, "alter-run")
    assert not list(tmp_path.glob("runbook-tutorial-*"))


def test_the_audit_reads_the_example_by_default(tmp_path: Path) -> None:
    executed = execute("audit", tmp_path)
    assert printed(executed, "read").startswith("clean: 1 runs")
    assert printed(executed, "words") == "1 runs, 1 succeeded, on 1 days\n"
    assert pictures(executed) == 3


def test_the_audit_counts_the_runs_of_any_clone_by_day_and_outcome(tmp_path: Path) -> None:
    def make(history: History) -> None:
        history.whole()
        history.whole(Status.FAILED)
        history.clock.time += timedelta(days=2)
        history.whole()
        history.lost()
        history.plan()

    history = a_history(tmp_path / "made", make=make)
    history.close()
    executed = execute("audit", tmp_path, source=str(history.path))
    assert re.match(r"clean: 5 runs, \d+ events, assurance level L0", printed(executed, "read"))
    assert printed(executed, "words") == "5 runs, 2 succeeded, on 2 days\n"
    assert pictures(executed) == 3


def test_the_audit_plots_nothing_of_a_ledger_without_runs(tmp_path: Path) -> None:
    history = a_history(tmp_path / "made", make=lambda _history: None)
    history.close()
    executed = execute("audit", tmp_path, source=str(history.path))
    assert printed(executed, "words") == "0 runs, 0 succeeded, on 0 days\n"
    assert pictures(executed) == 0
