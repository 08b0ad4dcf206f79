"""Cells that mean harm, in real kernels under a real worker: what they try fails, and the record of it is true."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from runner.execution import bubblewrap
from runner.execution.order import Mode
from runner.execution.outcome import ExitReason, Fate
from runner.execution.sandbox import Limits
from runner.ledger.bodies import Status

from .conftest import Prepare, processes, until

pytestmark = pytest.mark.skipif(not bubblewrap.usable(), reason="machine: bubblewrap is not usable here")

TRIES = """
import glob, json, os, pathlib, signal, socket, subprocess
def tried(what):
    try:
        return str(what())
    except BaseException as error:
        return type(error).__name__
def everywhere(word):
    return [path for path in glob.glob("/proc/[0-9]*/environ") if word in open(path, "rb").read()]
def many_files():
    opened = []
    try:
        while len(opened) < 300:
            opened.append(os.dup(0))
    finally:
        for one in opened:
            os.close(one)
base = pathlib.Path(BASE)
found = {
    "key": tried(lambda: (base / "state" / "key").read_text()),
    "key by a link": tried(lambda: [(base / "link").symlink_to(base / "state" / "key"), (base / "link").read_text()]),
    "key through init": tried(lambda: pathlib.Path(f"/proc/1/root{base}/state/key").read_text()),
    "another run": tried(lambda: os.listdir(base / "state" / "spool")),
    "our spool": tried(lambda: [name for name in os.listdir(SPOOL) if name not in {"work", "private"}]),
    "transcript": tried(lambda: open(SPOOL + "/transcript.jsonl", "a")),
    "sources": tried(lambda: os.listdir(SOURCES)),
    "worker's environment": tried(lambda: everywhere(b"RUNBOOK_SECRET_PW")),
    "own environment": tried(lambda: [name for name in os.environ if "SECRET_" in name or "TOKEN" in name]),
    "network": tried(lambda: socket.create_connection(("127.0.0.1", PORT), timeout=5)),
    "outside": tried(lambda: open("/usr/local/bin/planted", "w")),
    "toolkit": tried(lambda: open(os.environ["PYTHONPATH"] + "/runner/toolkit/__init__.py", "w")),
    "secrets file": tried(lambda: os.unlink(os.environ["RUNBOOK_SECRETS_FILE"])),
    "guardian": tried(lambda: [os.kill(pid, signal.SIGKILL) for pid in range(100, 30_000)]),
    "memory": tried(lambda: len(bytearray(1 << 30))),
    "large file": tried(lambda: [open("big", "wb").truncate(1 << 30)]),
    "open files": tried(lambda: many_files()),
    "more files": tried(lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_NOFILE, (9999, 9999))),
}
for _ in range(3):
    subprocess.Popen(["setsid", "sleep", "4325"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
print(json.dumps(found))
"""


def test_a_hostile_cell_reaches_nothing_that_was_not_opened_and_leaves_nothing(
    prepare: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    (state / "spool" / "other").mkdir(parents=True)
    (state / "key").write_text("the key")
    monkeypatch.setenv("CI_JOB_TOKEN", "x")
    spool = tmp_path / "spool0"
    with socket.create_server(("127.0.0.1", 0)) as server:
        known = {"BASE": str(tmp_path), "SPOOL": str(spool), "SOURCES": str(Path(bubblewrap.__file__).parent)}
        words = "".join(f"{name} = {value!r}\n" for name, value in known.items())
        words += f"PORT = {server.getsockname()[1]}\n"
        limits = Limits(memory=512, file_size=100, open_files=200)
        run = prepare(("change", words + TRIES), secrets={"PW": "correct-horse-battery"}, limits=limits)
        run.hidden = (str(state),)
        run.wait(run.start())
    assert run.outcome.status is Status.SUCCEEDED, run.outcome.message
    assert run.outcome.isolation == "bwrap"
    assert json.loads(run.text("c0")) == {
        "key": "FileNotFoundError",
        "key by a link": "FileNotFoundError",
        "key through init": "FileNotFoundError",
        "another run": "FileNotFoundError",
        "our spool": "[]",
        "transcript": "OSError",
        "sources": "FileNotFoundError",
        "worker's environment": "[]",
        "own environment": "[]",
        "network": "ConnectionRefusedError",
        "outside": "OSError",
        "toolkit": "OSError",
        "secrets file": "OSError",
        "guardian": "ProcessLookupError",
        "memory": "MemoryError",
        "large file": "OSError",
        "open files": "OSError",
        "more files": "ValueError",
    }
    until(lambda: not processes("sleep\x004325"), seconds=5)


def test_a_rehearsal_cannot_write_what_its_run_may(execute: Prepare, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("as it was")
    cell = ("plan", f"print(open({str(tmp_path / 'file')!r}).read())\nopen({str(tmp_path / 'file')!r}, 'w')")
    rehearsal = {"mode": Mode.REHEARSE, "plan_digest": None, "start": None, "write": (), "read": (str(tmp_path),)}
    run = execute(cell, **rehearsal)
    assert run.text("c0").startswith("as it was\n")
    assert "Read-only file system" in run.cell("c0").error
    assert (tmp_path / "file").read_text() == "as it was"


def test_too_many_processes_end_the_kernel_and_the_run_says_so(execute: Prepare) -> None:
    bomb = "import subprocess, time\nfor _ in range(200):\n    subprocess.Popen(['sleep', '4326'])\ntime.sleep(30)"
    run = execute(("change", bomb), limits=Limits(processes=60))
    assert run.outcome.status is Status.FAILED
    assert run.outcome.exit_reason is ExitReason.KERNEL_DIED
    assert run.cell("c0").fate in {Fate.UNKNOWN, Fate.FAILED}
    assert not processes("sleep\x004326")


@pytest.mark.parametrize(("declared", "wrong"), [("state", "opened to nobody"), ("gone", "not there")])
def test_a_folder_that_cannot_be_opened_stops_the_run_before_its_first_cell(
    *, prepare: Prepare, tmp_path: Path, declared: str, wrong: str
) -> None:
    (tmp_path / "state").mkdir()
    run = prepare(("change", "1"), write=(str(tmp_path / declared),))
    run.hidden = (str(tmp_path / "state"),)
    run.wait(run.start())
    assert run.outcome.status is Status.FAILED
    assert wrong in run.outcome.message
    assert run.outcome.cells == ()
