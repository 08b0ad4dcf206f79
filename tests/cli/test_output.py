from __future__ import annotations

import json
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from runner.cli.output import emit, table


@dataclass(frozen=True, kw_only=True)
class Found:
    file: Path
    names: tuple[str, ...]


def test_a_script_gets_one_document_of_the_same_facts(capsys: pytest.CaptureFixture[str]) -> None:
    emit(Found(file=Path("/srv/key"), names=("ä",)), as_json=True, text=lambda: "for people")
    assert json.loads(capsys.readouterr().out) == {"file": "/srv/key", "names": ["ä"]}


def test_what_json_has_no_word_for_is_never_guessed() -> None:
    with pytest.raises(TypeError, match="object"):
        emit(object(), as_json=True, text=str)


def test_a_person_gets_words_without_colour_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    emit(None, as_json=False, text=lambda: table(["name", "is"], [["[red]a[/red]", "\x1b[31mb"]]))
    said = capsys.readouterr().out
    assert "[red]a[/red]" in said
    assert "\x1b[31m" not in said


def test_words_from_outside_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    emit(None, as_json=False, text=lambda: "one\x1b]0;title\x07\r\x9b2Jtwo\n\tthree é")
    said = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\r", "\x9b"} & set(said)
    assert "two\n\tthree é" in said


def test_a_table_without_rows_says_so() -> None:
    assert table(["run"], [], title="runs") == "runs: nothing"


def wide(columns: int, *rows: list[str]) -> list[str]:
    from rich.console import Console

    screen = Console(file=StringIO(), width=columns, highlight=False)
    screen.print(table(["run", "on", "message"], rows, title="runs"))
    return str(screen.file.getvalue()).splitlines()  # type: ignore[attr-defined] # it is the StringIO from above


RUN = "20261123T115900Z-disk-cleanup-7k3q2x2m"


def test_a_long_sentence_wraps_between_words_beside_columns_that_stay_whole() -> None:
    lines = wide(80, [RUN, "lab/web-1", "the server did not come back within the time that it was given"])
    assert all(len(line) <= 80 for line in lines)
    assert sum(RUN in line for line in lines) == 1
    assert {"come", "within", "given"} <= {word for line in lines for word in line.split()}


def test_where_words_do_not_fit_beside_each_other_each_row_becomes_lines_and_nothing_is_cut() -> None:
    lines = wide(50, [RUN, "lab/web-1", ""], ["y" * 90, "lab/web-2", "failed"])
    assert all(len(line) <= 50 for line in lines)
    assert f"run      {RUN}" in {line.rstrip() for line in lines}
    assert sum(line.startswith("message") for line in lines) == 1, "what is empty is left out"
    assert "".join(lines).count("y") == 90
