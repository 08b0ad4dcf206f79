"""Sweeping: what began later goes, asked first, and what was there stays."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time

from runner.execution import sweep
from runner.execution.guardian import descendants

STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(60)"
POLITE = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\nprint('up', flush=True)"


def started(code: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


def test_what_began_later_is_asked_and_then_killed_and_what_was_there_stays() -> None:
    with started(STUBBORN) as old:
        time.sleep(0.05)
        mark = sweep.now()
        with started(STUBBORN) as young, started(POLITE + "\ntime.sleep(60)") as polite:
            asyncio.run(sweep.sweep(os.getpid(), since=mark, grace=0.5))
            assert young.wait(timeout=10) == -9
            assert polite.wait(timeout=10) == 7
        assert old.poll() is None
        old.kill()


def test_a_process_is_found_with_its_beginning_and_a_dead_one_is_not() -> None:
    before = sweep.now()
    process = started("print('up', flush=True)\nimport time\ntime.sleep(60)")
    with process:
        assert before <= descendants(os.getpid())[process.pid] <= sweep.now()
        process.kill()
        end = time.monotonic() + 10
        while process.pid in descendants(os.getpid()):
            assert time.monotonic() < end
