from __future__ import annotations

import os
import subprocess
import sys

import msgspec

from runner.ports.claim import of_process


def test_a_claim_lives_as_long_as_its_very_process() -> None:
    mine = of_process()
    assert mine is not None
    assert mine.pid == os.getpid()
    assert mine.lives()
    assert not msgspec.structs.replace(mine, started="1").lives()
    assert not msgspec.structs.replace(mine, boot="another").lives()


def test_a_process_that_ended_is_gone_before_it_is_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
        theirs = of_process(process.pid)
        assert theirs is not None
        assert theirs.lives()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not theirs.lives()
    assert of_process(process.pid) is None
