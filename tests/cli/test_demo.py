"""`runbook demo` when it is not let finish; the whole story is in `tests/stories/test_the_demo.py`."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.cli.main import run

COMMAND = [sys.executable, "-m", "runner.cli.main", "demo", "--dir"]


def test_a_folder_that_is_not_empty_is_the_requesters_to_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").write_text("")
    assert run(["demo", "--dir", str(tmp_path), "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "is not empty" in said.err


@pytest.mark.parametrize(("ended_by", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_the_server_ends_with_a_demo_that_is_stopped(tmp_path: Path, ended_by: signal.Signals, code: int) -> None:
    with subprocess.Popen(
        [*COMMAND, str(tmp_path / "d")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {"HOME": str(tmp_path)},
    ) as process:
        assert process.stdout is not None
        port = 0
        for line in process.stdout:
            found = re.search(r"https://localhost:(\d+) ", line)
            port = int(found[1]) if found else port
            if port and "opens an issue" in line:
                break
        process.send_signal(ended_by)
        rest = process.communicate(timeout=60)[0]
    assert process.returncode == code
    assert _refused(port)
    assert "Traceback" not in rest


def _refused(port: int) -> bool:
    """Whether nobody listens any more, or soon no longer does."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)):
                return True
        time.sleep(0.05)
    return False
