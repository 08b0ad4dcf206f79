"""What every executor promises, with the real worker on a real rehearsal. A new one joins by a line in `EXECUTORS`.

`gitlab-ci` is not among them: its worker believes the ledger, not keys that come along, and shows nothing at work.
What is promised here is held against it in tests/adapters/executor/test_gitlab_ci.py and tests/supervisor/test_job.py.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from runner.adapters.executor.local import LocalExecutor
from runner.digest import canonical, parse
from runner.execution import transcript
from runner.execution.order import PAYLOAD_TYPE, Mode
from runner.execution.outcome import ExitReason, Fate, Outcome
from runner.ledger.bodies import Status
from runner.ledger.envelope import make_envelope
from runner.ports.executor import Executor, Work, WorkState
from tests.execution.conftest import TestKey, notebook, order_for

KEY = "20261123T023028Z-x-abcdefgh/rehearsal"


def local(folder: Path) -> Executor:
    command = (sys.executable, "-P", "-m", "runner.cli.main", "-C", str(folder), "worker")
    root = Path(__file__).resolve().parents[2]
    return LocalExecutor(folder / "spool", command=command, environment=os.environ | {"PYTHONPATH": str(root)})


EXECUTORS: dict[str, Callable[[Path], Executor]] = {"local": local}


class Host:
    """Where supervisors come and go: each sees the executor afresh."""

    def __init__(self, make: Callable[[Path], Executor], folder: Path) -> None:
        self._make, self._folder = make, folder

    def supervisor(self) -> Executor:
        return self._make(self._folder)

    def work(self, source: str) -> Work:
        """A signed rehearsal of one cell that first says that it is executed."""
        content = notebook(("read", f"print('executed.')\n{source}"))
        order = msgspec.structs.replace(order_for(content), mode=Mode.REHEARSE, plan_digest=None, start=None)
        key = TestKey()
        files = {
            "order.dsse.json": make_envelope(canonical(order), payload_type=PAYLOAD_TYPE, signer=key),
            "runbook.ipynb": content,
            "trusted_keys": f"{key.public_key}\n".encode(),
        }
        return Work(key=KEY, files=files)

    def until(self, state: WorkState) -> None:
        self.until_true(lambda: self.supervisor().state(KEY) is state)

    def until_true(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.05)

    def kill_worker(self) -> None:
        """End the worker as nothing in its sandbox can."""
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().split(b"\0")
                if b"worker" in words and any(str(self._folder).encode() in word for word in words):
                    os.kill(int(process.name), signal.SIGKILL)

    @property
    def executed(self) -> int:
        """How often the cell was executed: the live log is only ever added to, and outlives a dead worker."""
        return self.supervisor().live(KEY, since=0)[0].count(b"executed.")


@pytest.fixture(params=EXECUTORS)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    made = Host(EXECUTORS[str(request.param)], tmp_path)
    yield made
    if made.supervisor().state(KEY) is WorkState.RUNNING:
        made.supervisor().cancel(KEY, rollback=False)
        made.until_true(lambda: made.supervisor().state(KEY) is not WorkState.RUNNING)


def outcome(files: Mapping[str, bytes]) -> Outcome:
    return parse(Outcome, files["outcome.json"])


def test_what_was_never_submitted_is_unknown_and_asking_for_it_changes_nothing(host: Host) -> None:
    one = host.supervisor()
    assert one.name
    assert one.state(KEY) is WorkState.UNKNOWN
    assert (dict(one.collect(KEY)), one.progress(KEY), one.live(KEY, since=0)) == ({}, b"", (b"", 0))
    one.cancel(KEY, rollback=True)
    one.forget(KEY)
    assert one.state(KEY) is WorkState.UNKNOWN


def test_work_is_executed_once_however_often_and_by_whomever_it_is_submitted(host: Host) -> None:
    work = host.work("print('done')")
    for _ in range(3):
        host.supervisor().submit(work)
    host.until(WorkState.SEALED)
    host.supervisor().submit(work)
    later = host.supervisor()
    files = later.collect(KEY)
    assert outcome(files).status is Status.SUCCEEDED
    assert b"done" in files["executed.ipynb"]
    assert later.progress(KEY)
    assert host.executed == 1
    later.cancel(KEY, rollback=True)
    assert later.collect(KEY) == files
    later.forget(KEY)
    assert later.state(KEY) is WorkState.UNKNOWN


def test_running_work_is_followed_kept_and_cancelled_by_another_supervisor(host: Host) -> None:
    host.supervisor().submit(host.work("import time\nprint('at work')\ntime.sleep(60)"))
    host.until_true(lambda: host.executed == 1)
    later = host.supervisor()
    host.until_true(lambda: b"at work" in later.live(KEY, since=0)[0])
    assert later.live(KEY, since=later.live(KEY, since=0)[1])[0] == b""
    whole = later.progress(KEY)
    assert later.progress(KEY, since=10) == whole[10:]
    assert later.state(KEY) is WorkState.RUNNING
    assert [fate.fate for fate in transcript.fates(later.progress(KEY))] == [Fate.RUNNING]
    later.forget(KEY)
    assert later.state(KEY) is WorkState.RUNNING
    later.cancel(KEY, rollback=False)
    host.until(WorkState.SEALED)
    assert outcome(later.collect(KEY)).exit_reason is ExitReason.CANCELLED


def test_a_dead_workers_words_are_kept_and_its_work_is_never_done_again(host: Host) -> None:
    work = host.work("import time\ntime.sleep(60)")
    host.supervisor().submit(work)
    host.until_true(lambda: host.executed == 1)
    host.kill_worker()
    host.until(WorkState.DEAD)
    later = host.supervisor()
    left = later.collect(KEY)
    assert "outcome.json" not in left
    assert [fate.fate for fate in transcript.fates(left[transcript.NAME], dead=True)] == [Fate.UNKNOWN]
    later.submit(work)
    later.cancel(KEY, rollback=True)
    assert later.state(KEY) is WorkState.DEAD
    assert host.executed == 1
