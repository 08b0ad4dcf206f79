from __future__ import annotations

import sys
from io import StringIO

import pytest

from runner.cli.progress import watching
from runner.digest import canonical
from runner.execution.outcome import CellFate, Fate
from runner.execution.transcript import Line

RUN = "20261123T115900Z-disk-cleanup-7k3q2x2m"


def said(*fates: Fate) -> bytes:
    """A transcript in which the cells named a, b, ... have come to these fates."""
    cells = [
        CellFate(index=index, id=f"c{index}", role="change", name="abcdef"[index], phase="forward", fate=fate)
        for index, fate in enumerate(fates)
    ]
    return b"".join(canonical(Line(at=0.0, cell=cell)) + b"\n" for cell in cells)


def test_a_script_sees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with watching(quiet=True) as watcher:
        watcher.say("words")
        watcher.progress(RUN, said(Fate.RUNNING))
    assert capsys.readouterr() == ("", "")


def test_where_nobody_watches_a_bar_each_cell_is_one_line_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with watching() as watcher:
        watcher.say("start")
        watcher.progress(RUN, said(Fate.RUNNING, Fate.NOT_RUN))
        watcher.progress(RUN, said(Fate.RUNNING, Fate.NOT_RUN))
        watcher.progress(RUN, said(Fate.OK, Fate.RUNNING))
        watcher.progress(RUN, said(Fate.OK, Fate.OK))
    out, err = capsys.readouterr()
    assert (out, err) == ("", "  start\n  [1/2] a\n  [2/2] b\n")


def test_a_transcript_that_is_torn_or_empty_is_no_trouble(capsys: pytest.CaptureFixture[str]) -> None:
    with watching() as watcher:
        watcher.progress(RUN, b"")
        watcher.progress(RUN, said(Fate.RUNNING)[:-5])
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    with watching() as watcher:
        watcher.progress(RUN, said(Fate.OK, Fate.RUNNING))
        watcher.progress("another", said(Fate.RUNNING))
        watcher.say("words in between")
    shown = screen.getvalue()
    assert "words in between" in shown
    assert "1/2" in shown
    assert "\x1b[2K" in shown, "the bar is wiped"
