"""Pieces of a cell's words as lines: whole, and harmless to a terminal."""

from __future__ import annotations

from runner.cli import log_lines
from runner.cli.log_lines import LogLines


def test_pieces_become_whole_lines() -> None:
    lines = LogLines()
    assert lines.take("one\ntw") == ["one"]
    assert lines.begun == "tw"
    assert lines.take("o\n\n") == ["two", ""]
    assert lines.rest() == []
    lines.take("three")
    assert lines.rest() == ["three"]
    assert lines.rest() == []


def test_a_progress_bar_is_seen_as_it_stands_at_last() -> None:
    lines = LogLines()
    assert lines.take("10%\r50%\r") == []
    assert lines.begun == "50%"
    assert lines.take("100%\r\nnext\n") == ["100%", "next"]


def test_colours_are_taken_out_and_whatever_else_would_steer_a_terminal() -> None:
    assert LogLines().take("\x1b[31mred\x1b[0m \x1b]0;title\x07\tend\n") == [
        "red \N{REPLACEMENT CHARACTER}]0;title\N{REPLACEMENT CHARACTER}    end"
    ]


def test_a_line_without_an_end_stays_within_bounds() -> None:
    lines = LogLines()
    for _ in range(10):
        lines.take("x" * log_lines.UNENDED)
    assert len(lines.begun) == log_lines.LONGEST + len(" ...")
