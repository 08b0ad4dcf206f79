"""Following work: everything is shown once, and nothing twice, through the executor's own words."""

from __future__ import annotations

from pathlib import Path

from runner.adapters.executor.local import LocalExecutor
from runner.digest import canonical
from runner.execution.outcome import CellFate, Fate
from runner.execution.progress import Said
from runner.execution.transcript import Line
from runner.ports import live_log
from runner.ports.live_log import LiveLog
from runner.supervisor.following import Followed, Following

KEY = "20261123T115900Z-count-7k3q2x2m/1"


def cell(fate: Fate) -> bytes:
    one = CellFate(index=0, id="c0", role="change", name="act", phase="forward", fate=fate)
    return canonical(Line(at=0.0, cell=one)) + b"\n"


def said(text: str) -> Said:
    return Said(at=0.0, phase="forward", cell="c0", name="act", text=text)


def test_each_look_shows_what_is_new_and_nothing_twice(tmp_path: Path) -> None:
    executor = LocalExecutor(tmp_path, command=["false"], environment={})
    spool = executor.spool(KEY)
    following = Following(executor, KEY)
    assert following.look() is None
    spool.mkdir()
    transcript, log = spool / "transcript.jsonl", LiveLog(spool / live_log.NAME)
    transcript.write_bytes(cell(Fate.RUNNING))
    log.append(canonical(said("one\n")) + b"\n")
    first = following.look(seconds=2.0)
    assert first is not None
    assert (first.key, first.seconds, first.said) == (KEY, 2.0, (said("one\n"),))
    assert following.look() is None
    log.append(canonical(said("two\n")) + b"\n")
    second = following.look()
    assert second is not None
    assert [one.fate for one in second.cells] == [Fate.RUNNING]
    assert second.said == (said("two\n"),)
    with transcript.open("ab") as file:
        file.write(cell(Fate.OK))
    third = following.look()
    assert third is not None
    assert ([one.fate for one in third.cells], third.said) == ([Fate.OK], ())
    assert following.progress.done == 1


def test_whoever_follows_work_goes_on_where_it_was(tmp_path: Path) -> None:
    executor = LocalExecutor(tmp_path, command=["false"], environment={})
    followed = Followed()
    assert followed.of(executor, KEY) is followed.of(executor, KEY)
    assert followed.of(executor, KEY) is not followed.of(executor, "another/1")
