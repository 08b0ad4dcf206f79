from __future__ import annotations

import pytest

from runner.cli.demo_words import WIDTH, Voice


def test_steps_are_numbered_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    voice = Voice(err=False)
    voice.step("first")
    voice.step("second")
    said = capsys.readouterr().out
    assert "1. first" in said
    assert "2. second" in said


def test_a_long_sentence_is_wrapped_and_a_path_stays_whole(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/" + "a-b/" * 40
    Voice(err=False).say(f"{'word ' * 40}{path}")
    lines = capsys.readouterr().out.splitlines()
    assert any(path in line for line in lines)
    assert all(len(line) <= WIDTH + 2 for line in lines if path not in line)


def test_for_a_script_standard_output_stays_empty(capsys: pytest.CaptureFixture[str]) -> None:
    voice = Voice(err=True)
    voice.say("a")
    voice.did("b")
    voice.typed("c")
    voice.quote("d\n\ne\n")
    voice.block("f")
    said = capsys.readouterr()
    assert said.out == ""
    assert "  | d\n  |\n  | e\n" in said.err


def test_where_nobody_looks_there_is_no_colour(capsys: pytest.CaptureFixture[str]) -> None:
    voice = Voice(err=False)
    voice.did("done")
    voice.typed("runbook log")
    assert "\x1b" not in capsys.readouterr().out
