"""The local executor with small stand-alone workers: what it says comes from the spool's files alone."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.adapters.executor.local import LocalExecutor
from runner.errors import OutsideError
from runner.ports.executor import Work, WorkState

WORKER = """
import os, sys, time
from pathlib import Path
from runner.digest import canonical
from runner.ports.claim import of_process
spool = Path(sys.argv[1])
mine = spool / f"claimed.{os.getpid()}"
mine.write_bytes(canonical(of_process()))
try:
    os.link(mine, spool / "claimed")
except FileExistsError:
    sys.exit(0)
with (spool / "count").open("a") as file:
    file.write("x")
(spool / "transcript.jsonl").write_text("line\\n")
while not (spool / "cancel").exists():
    time.sleep(0.01)
(spool / "outcome.tmp" / "artifacts").mkdir(parents=True)
(spool / "outcome.tmp" / "outcome.json").write_text((spool / "cancel").read_text() + (spool / "order").read_text())
(spool / "outcome.tmp" / "artifacts" / "a").write_text("a")
(spool / "outcome.tmp").rename(spool / "outcome")
"""

WORK = Work(key="20261123T023028Z-x-abcdefgh/1", files={"order": b"!"})


def executor(root: Path, code: str = WORKER) -> LocalExecutor:
    return LocalExecutor(root, command=[sys.executable, "-c", code], environment=os.environ)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_work_goes_from_submitted_over_running_to_sealed_and_another_supervisor_sees_it(tmp_path: Path) -> None:
    first, second = executor(tmp_path), executor(tmp_path)
    assert first.state(WORK.key) is WorkState.UNKNOWN
    first.submit(WORK)
    until(lambda: second.state(WORK.key) is WorkState.RUNNING)
    until(lambda: second.progress(WORK.key) == b"line\n")
    second.submit(WORK)
    second.forget(WORK.key)
    second.cancel(WORK.key, rollback=True)
    until(lambda: second.state(WORK.key) is WorkState.SEALED)
    assert second.collect(WORK.key) == {"outcome.json": b"rollback!", "artifacts/a": b"a"}
    assert (second.spool(WORK.key) / "count").read_text() == "x"
    second.forget(WORK.key)
    assert second.state(WORK.key) is WorkState.UNKNOWN


def test_many_submissions_execute_once(tmp_path: Path) -> None:
    one = executor(tmp_path)
    for _ in range(4):
        executor(tmp_path).submit(WORK)
    until(lambda: one.state(WORK.key) is WorkState.RUNNING)
    one.cancel(WORK.key, rollback=False)
    until(lambda: one.state(WORK.key) is WorkState.SEALED)
    assert (one.spool(WORK.key) / "count").read_text() == "x"
    assert one.collect(WORK.key)["outcome.json"] == b"leave!"


def test_a_killed_worker_is_dead_and_its_transcript_is_left(tmp_path: Path) -> None:
    one = executor(tmp_path)
    one.submit(WORK)
    until(lambda: one.progress(WORK.key) == b"line\n")
    os.kill(int((one.spool(WORK.key) / "claimed").read_bytes().split(b'"pid":')[1].split(b",")[0]), signal.SIGKILL)
    until(lambda: one.state(WORK.key) is WorkState.DEAD)
    assert one.collect(WORK.key) == {"transcript.jsonl": b"line\n"}
    one.submit(WORK)
    assert (one.spool(WORK.key) / "count").read_text() == "x"
    one.cancel(WORK.key, rollback=False)
    assert not (one.spool(WORK.key) / "cancel").exists()


def test_a_worker_that_ends_before_claiming_can_be_started_again(tmp_path: Path) -> None:
    executor(tmp_path, "pass").submit(WORK)
    one = executor(tmp_path)
    assert one.state(WORK.key) is WorkState.SUBMITTED
    one.submit(WORK)
    until(lambda: one.progress(WORK.key) == b"line\n")
    one.end(WORK.key)
    until(lambda: one.state(WORK.key) is WorkState.DEAD)


def test_a_worker_on_its_way_counts_as_running_and_no_second_one_is_started(tmp_path: Path) -> None:
    one = executor(tmp_path, "import time; time.sleep(60)")
    one.submit(WORK)
    assert one.state(WORK.key) is WorkState.RUNNING
    assert executor(tmp_path).state(WORK.key) is WorkState.SUBMITTED, "others know it from the spool alone"
    one.submit(WORK)
    one.end(WORK.key)
    until(lambda: one.state(WORK.key) is WorkState.SUBMITTED)


def test_a_worker_that_never_came_is_told_before_another_one_is_started(tmp_path: Path) -> None:
    one = executor(tmp_path, "pass")
    one.submit(WORK)
    until(lambda: one.state(WORK.key) is WorkState.SUBMITTED)
    with pytest.raises(OutsideError, match="did not make it its own"):
        one.submit(WORK)
    one.submit(WORK)


def test_a_spool_without_its_marker_is_written_again(tmp_path: Path) -> None:
    one = executor(tmp_path, "pass")
    spool = one.spool(WORK.key)
    spool.mkdir()
    (spool / "order").write_bytes(b"torn")
    assert one.state(WORK.key) is WorkState.UNKNOWN
    one.submit(WORK)
    assert (spool / "order").read_bytes() == b"!"


@pytest.mark.parametrize("name", ["../order", "a/b", ".hidden"])
def test_a_file_cannot_leave_the_spool(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutsideError, match="plain file name"):
        executor(tmp_path).submit(Work(key="k", files={name: b""}))


def test_a_spool_folder_that_cannot_be_written_is_outside_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutsideError, match="handing work"):
        executor(tmp_path / "file" / "root").submit(WORK)


def test_work_whose_spool_is_gone_after_a_worker_was_started_is_not_handed_over_again(tmp_path: Path) -> None:
    at_work = executor(tmp_path / "spool")
    at_work.submit(WORK)
    until(lambda: at_work.state(WORK.key) is WorkState.RUNNING)
    at_work.cancel(WORK.key, rollback=False)
    until(lambda: at_work.state(WORK.key) is WorkState.SEALED)
    shutil.rmtree(tmp_path / "spool")
    assert executor(tmp_path / "spool").state(WORK.key) is WorkState.DEAD
    at_work.forget(WORK.key)
    assert at_work.state(WORK.key) is WorkState.UNKNOWN


def test_what_is_brought_to_a_running_worker_is_there_whole_and_nowhere_else(tmp_path: Path) -> None:
    one = executor(tmp_path)
    one.deliver(WORK.key, "answer", b"lost")
    assert not one.spool(WORK.key).exists()
    one.submit(WORK)
    until(lambda: one.progress(WORK.key) == b"line\n")
    for _ in range(2):
        executor(tmp_path).deliver(WORK.key, "answer", b"yes")
    assert (one.spool(WORK.key) / "answer").read_bytes() == b"yes"
    assert not list(one.spool(WORK.key).glob("*.new"))
    one.cancel(WORK.key, rollback=False)
    until(lambda: one.state(WORK.key) is WorkState.SEALED)
    one.deliver(WORK.key, "later", b"too late")
    assert not (one.spool(WORK.key) / "later").exists()
