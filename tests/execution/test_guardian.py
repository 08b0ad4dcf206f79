from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.execution import guardian

CHILDREN = """
import os, subprocess, sys, time
subprocess.Popen(["setsid", "sleep", "4322"])
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "4322"])
    os._exit(0)
print("up", flush=True)
"""


def start(folder: Path, code: str, *, most: int = 10_000) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", guardian.__file__, str(os.getpid()), str(folder), str(most), "--"]
    return subprocess.Popen([*command, sys.executable, "-c", code], stdout=subprocess.PIPE)


def below(folder: Path) -> int:
    found = 0
    for process in Path("/proc").iterdir():
        try:
            found += str(folder).encode() in (process / "environ").read_bytes()
        except OSError:
            continue
    return found


@pytest.mark.parametrize("code", [0, 3])
def test_it_ends_with_the_commands_status_and_everything_that_was_detached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setenv("MARKER", str(tmp_path))
    process = start(tmp_path, CHILDREN + f"sys.exit({code})")
    with process:
        assert process.wait(timeout=10) == code
    assert below(tmp_path) == 0
    assert tmp_path.exists()


def test_told_to_end_it_takes_all_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKER", str(tmp_path))
    with start(tmp_path, CHILDREN + "time.sleep(60)") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        os.kill(process.pid, signal.SIGINT)  # meant for the kernel, not for it
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=10) == 128 + signal.SIGTERM
    assert below(tmp_path) == 0


def test_when_its_parent_is_killed_it_ends_all_and_removes_the_private_folder(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir()
    parent = (
        "import os, subprocess, sys\n"
        f"guardian = [sys.executable, '-I', '-S', {guardian.__file__!r}, str(os.getpid()), {str(private)!r}, '999']\n"
        f"subprocess.run([*guardian, '--', sys.executable, '-c', {CHILDREN + 'time.sleep(60)'!r}])\n"
    )
    environment = os.environ | {"MARKER": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.kill()
    end = time.monotonic() + 5
    while below(tmp_path) or private.exists():
        assert time.monotonic() < end, "something outlived its parent"
        time.sleep(0.02)


def test_more_processes_than_may_be_end_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKER", str(tmp_path))
    many = "import subprocess, time\nfor _ in range(60):\n    subprocess.Popen(['sleep', '4322'])\ntime.sleep(60)"
    with start(tmp_path, many, most=50) as process:
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
    assert below(tmp_path) == 0
