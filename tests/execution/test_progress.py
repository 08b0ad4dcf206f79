"""How far an execution is: from a transcript that grows, whatever is torn at its end."""

from __future__ import annotations

from runner.digest import canonical
from runner.execution.outcome import CellFate, Fate
from runner.execution.progress import Fates, Progress, Said, said
from runner.execution.transcript import Line


def cell(index: int, fate: Fate, phase: str = "forward") -> CellFate:
    return CellFate(index=index, id=f"c{index}", role="change", name=f"step {index}", phase=phase, fate=fate)


def line(one: CellFate) -> bytes:
    return canonical(Line(at=0.0, cell=one)) + b"\n"


def test_a_transcript_is_taken_in_as_it_grows_and_a_torn_line_waits_for_its_end() -> None:
    whole = line(cell(0, Fate.RUNNING)) + line(cell(1, Fate.NOT_RUN)) + line(cell(0, Fate.OK))
    fates = Fates()
    for size in range(0, len(whole) + 7, 7):
        fates.take(whole[fates.read : size])
    assert fates.read == len(whole)
    assert [(one.id, one.fate) for one in fates.cells] == [("c0", Fate.OK), ("c1", Fate.NOT_RUN)]


def test_lines_that_say_nothing_of_a_cell_are_no_news() -> None:
    assert not Fates().take(canonical(Line(at=0.0, said="words")) + b"\n")
    assert not Fates().take(b"")
    assert Fates().take(line(cell(0, Fate.RUNNING)))


def test_what_undoes_is_no_part_of_the_way_until_it_comes_to_that() -> None:
    cells = (cell(0, Fate.OK), cell(1, Fate.RUNNING), cell(2, Fate.NOT_RUN, "rollback"))
    progress = Progress(key="run/1", cells=cells)
    assert (progress.done, len(progress.forward)) == (1, 2)
    assert progress.at_work == cells[1]
    undoing = Progress(key="run/1", cells=(cells[0], cell(2, Fate.RUNNING, "rollback")))
    assert len(undoing.forward) == 2


def test_damaged_entries_of_a_log_are_passed_over() -> None:
    one = Said(at=0.0, phase="forward", cell="c0", name="step", text="words\n")
    assert said(canonical(one) + b"\nnot json\n" + canonical(one) + b"\n") == (one, one)
