from __future__ import annotations

import errno
import os
from pathlib import Path

import nbformat
import pytest

from runner.digest import Json
from runner.execution import transcript
from runner.execution.outcome import CellFate, Fate
from runner.execution.transcript import Line, Transcript

from .conftest import notebook


def fate(cell: str, state: Fate) -> CellFate:
    return CellFate(index=int(cell[1:]), id=cell, role="change", name=cell, phase="forward", fate=state)


def written(path: Path, *lines: Line) -> bytes:
    with Transcript(path, make_room=lambda: None) as open_transcript:
        for line in lines:
            open_transcript.append(line)
    return path.read_bytes()


def test_the_newest_fate_counts_and_a_dead_workers_running_cell_is_unknown(tmp_path: Path) -> None:
    data = written(
        tmp_path / "t",
        Line(at=0, opened="nonce", injected="x = 1\n"),
        *(Line(at=0, cell=fate(cell, Fate.NOT_RUN)) for cell in ("c0", "c1", "c2")),
        Line(at=1, cell=fate("c0", Fate.RUNNING)),
        Line(at=2, cell=fate("c0", Fate.OK)),
        Line(at=2, outputs=[{"output_type": "stream", "name": "stdout", "text": "said\n"}], of="c0", count=1),
        Line(at=3, cell=fate("c1", Fate.RUNNING)),
    )
    assert [one.fate for one in transcript.fates(data)] == [Fate.OK, Fate.RUNNING, Fate.NOT_RUN]
    content = notebook(("change", "print('said')"), ("change", "2"), ("change", "3"))
    rebuilt, fates = transcript.rebuild(data, content)
    assert [one.fate for one in fates] == [Fate.OK, Fate.UNKNOWN, Fate.NOT_RUN]
    node = nbformat.reads(rebuilt.decode(), as_version=4)  # type: ignore[no-untyped-call] # nbformat ships no types
    nbformat.validate(node)
    assert node.cells[0].source == "x = 1\n"
    assert node.cells[1].outputs[0].text == "said\n"


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_torn_last_line_is_left_out(tmp_path: Path, cut: int) -> None:
    data = written(tmp_path / "t", Line(at=1, cell=fate("c0", Fate.OK)), Line(at=2, cell=fate("c1", Fate.OK)))
    assert [one.id for one in transcript.fates(data[:-cut])] == ["c0"]


def test_it_is_never_written_over(tmp_path: Path) -> None:
    written(tmp_path / "t")
    with pytest.raises(FileExistsError):
        Transcript(tmp_path / "t", make_room=lambda: None)


def test_on_a_full_disk_it_asks_for_room_once(tmp_path: Path) -> None:
    asked: list[int] = []
    with Transcript(tmp_path / "t", make_room=lambda: asked.append(1)) as full:
        os.dup2(os.open("/dev/full", os.O_WRONLY), full._file)  # noqa: SLF001 - the only full disk at hand
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            full.append(Line(at=0))
    assert asked == [1]
    assert full.full


def test_what_has_the_form_of_a_credential_is_not_rebuilt(tmp_path: Path) -> None:
    said: dict[str, Json] = {"output_type": "stream", "name": "stdout", "text": "glpat-" + "a1b2c3d4e5f6g7h8i9j0"}
    data = written(tmp_path / "t", Line(at=0, opened="n"), Line(at=1, outputs=[said], of="c0"))
    rebuilt, _ = transcript.rebuild(data, notebook(("read", "1")))
    assert b"glpat" not in rebuilt
