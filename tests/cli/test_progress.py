from __future__ import annotations

import sys
from io import StringIO

import pytest

from runner.cli.progress import watching
from runner.execution.outcome import Fate
from tests.cli.executions import RUN, cell, progress


def test_a_script_sees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with watching(quiet=True) as watcher:
        watcher.say("words")
        watcher.progress(RUN, progress(Fate.RUNNING))
    assert capsys.readouterr() == ("", "")


def test_where_nobody_watches_a_bar_each_cell_is_one_line_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with watching() as watcher:
        watcher.say("start")
        watcher.progress(RUN, progress(Fate.RUNNING, Fate.NOT_RUN))
        watcher.progress(RUN, progress(Fate.RUNNING, Fate.NOT_RUN))
        watcher.progress(RUN, progress(Fate.OK, Fate.RUNNING))
        watcher.progress(RUN, progress(Fate.OK, Fate.OK))
    out, err = capsys.readouterr()
    assert (out, err) == ("", "  start\n  [1/2] a\n  [2/2] b\n")


def test_plain_lines_hold_the_log_in_its_place_and_what_went_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    failed = cell(1, Fate.FAILED, seconds=2.0, error="\x1b[31mValueError\x1b[0m\nValueError: no such \x07thing")
    with watching() as watcher:
        watcher.progress(RUN, progress(Fate.RUNNING, Fate.NOT_RUN, said=((0, "one\n"),)))
        watcher.progress(RUN, progress(Fate.OK, failed, said=((0, "two\n"), (1, "\x1b[31mred\x1b[0m"))))
    assert capsys.readouterr().err.splitlines() == [
        "  [1/2] a",
        "    | one",
        "    | two",
        "  [2/2] b",
        "    | red",
        "  b: failed after 2.0 s: ValueError: no such \N{REPLACEMENT CHARACTER}thing",
    ]


def test_the_log_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    with watching(log=False) as watcher:
        watcher.progress(RUN, progress(Fate.RUNNING, said=((0, "one\n"),)))
    assert capsys.readouterr().err == "  [1/1] a\n"


def test_a_rehearsal_and_the_run_after_it_are_shown_each_from_its_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    with watching() as watcher:
        watcher.progress(RUN, progress(Fate.OK, key=f"{RUN}/rehearsal"))
        watcher.progress(RUN, progress(Fate.OK, key=f"{RUN}/1"))
    assert capsys.readouterr().err == "  [1/1] a\n  [1/1] a\n"


def test_a_terminal_that_cannot_draw_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "dumb")
    with watching() as watcher:
        watcher.progress(RUN, progress(Fate.RUNNING))
    assert screen.getvalue() == "  [1/1] a\n"
