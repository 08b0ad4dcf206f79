"""The view on a terminal, as its bytes and as it stands at the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO

import click
import pytest

from runner.cli.progress import watching
from runner.execution.outcome import Fate
from runner.supervisor.watcher import Watcher
from tests.cli.executions import RUN, cell, progress


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """A terminal of 80 columns."""
    made = StringIO()
    monkeypatch.setattr(made, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return made


@contextmanager
def drawn(screen: StringIO, *, log: bool = True) -> Iterator[Watcher]:
    with redirect_stderr(screen), watching(log=log) as watcher:
        yield watcher


def lines(screen: StringIO) -> list[str]:
    """What was printed above the bar, in order."""
    text = click.unstyle(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue()))
    return [line.rstrip() for line in re.split(r"[\r\n]", text) if re.match(r"  [▸✓✗-] |    │ |  w", line)]


def test_a_terminal_gets_a_bar_that_goes_away(screen: StringIO) -> None:
    with drawn(screen) as watcher:
        watcher.progress(RUN, progress(Fate.OK, Fate.RUNNING))
        watcher.progress("another", progress(Fate.RUNNING, key="another/1"))
        watcher.say("words [bold]in between[/bold]")
    shown = screen.getvalue()
    assert "words [bold]in between[/bold]" in shown
    assert "1/2" in shown
    assert "0:00:0" in shown
    assert "\x1b[2K" in shown, "the bar is wiped"


def test_each_step_stands_there_with_its_words_and_its_end(screen: StringIO) -> None:
    with drawn(screen) as watcher:
        watcher.progress(RUN, progress(Fate.RUNNING, Fate.NOT_RUN, said=((0, "one\ntw"),)))
        ok, skipped = cell(0, Fate.OK, seconds=1.25), cell(2, Fate.SKIPPED, why="done in attempt 1")
        failed = cell(1, Fate.FAILED, seconds=0.5, error="ValueError: no")
        watcher.progress(RUN, progress(ok, failed, skipped, said=((0, "o\n"), (1, "begun"))))
    assert [line for line in lines(screen) if "…" not in line] == [
        "  ▸ a",
        "    │ one",
        "    │ two",
        "  ✓ a  1.2 s",
        "  ▸ b",
        "    │ begun",
        "  ✗ b  failed after 0.5 s: ValueError: no",
        "  - c  skipped: done in attempt 1",
    ]
    assert "    │ tw…" in lines(screen), "a line that has begun is seen below the bar"


def test_the_log_can_be_left_out_of_it(screen: StringIO) -> None:
    with drawn(screen, log=False) as watcher:
        watcher.progress(RUN, progress(Fate.RUNNING, said=((0, "one\ntw"),)))
        watcher.progress(RUN, progress(cell(0, Fate.OK, seconds=0.1)))
    assert lines(screen) == ["  ✓ a  0.1 s"]


def test_colour_is_left_out_where_it_is_not_wanted(screen: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with drawn(screen) as watcher:
        watcher.progress(RUN, progress(cell(0, Fate.OK, seconds=0.1), Fate.RUNNING))
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", screen.getvalue())
