from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli.main import run


def test_a_spool_without_an_order_is_refused_and_sealed_as_such(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    command = [sys.executable, "-m", "runner.cli.main", "-C", str(tmp_path), "worker", str(spool)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "checking the work order" in done.stderr
    assert "Traceback" not in done.stderr
    assert (spool / "outcome" / "outcome.json").is_file()


def test_people_are_told_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["worker"]) == 2
    assert "SPOOL" in capsys.readouterr().err
    assert run(["worker", str(tmp_path / "none")]) == 2
    assert "does not exist" in capsys.readouterr().err
