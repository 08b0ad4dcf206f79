"""The steps of an execution as things to show: each once, in order."""

from __future__ import annotations

from msgspec.structs import replace

from runner.cli.steps import Steps, What
from runner.execution.outcome import Fate
from runner.execution.progress import Progress
from tests.cli.executions import cell, progress


def moments(steps: Steps, now: Progress) -> list[tuple[str, str, str]]:
    return [(one.what.value, one.cell.name, one.line) for one in steps.take(now)]


def test_what_was_shown_is_not_shown_again_and_words_come_between_beginning_and_end() -> None:
    steps = Steps()
    assert moments(steps, progress(Fate.NOT_RUN, Fate.NOT_RUN)) == []
    assert moments(steps, progress(Fate.RUNNING, Fate.NOT_RUN)) == [("began", "a", "")]
    assert moments(steps, progress(Fate.RUNNING, Fate.NOT_RUN, said=((0, "x\ny"),))) == [("words", "a", "x")]
    assert moments(steps, progress(Fate.OK, Fate.OK, said=((1, "z\n"),))) == [
        ("words", "a", "y"),
        ("ended", "a", ""),
        ("began", "b", ""),
        ("words", "b", "z"),
        ("ended", "b", ""),
    ]
    assert moments(steps, progress(Fate.OK, Fate.OK)) == []


def test_words_that_come_after_the_end_of_a_cell_are_still_shown() -> None:
    steps = Steps()
    moments(steps, progress(Fate.OK))
    assert moments(steps, progress(Fate.OK, said=((0, "late\n"),))) == [("words", "a", "late")]


def test_every_try_of_a_step_that_is_tried_again_ends_once() -> None:
    steps = Steps()
    course = ((Fate.RUNNING, 1), (Fate.FAILED, 1), (Fate.FAILED, 1), (Fate.RUNNING, 2), (Fate.OK, 2), (Fate.OK, 2))
    shown = [moments(steps, progress(replace(cell(0, fate), tries=tries))) for fate, tries in course]
    assert [[what for what, _, _ in one] for one in shown] == [["began"], ["ended"], [], [], ["ended"], []]


def test_a_step_has_its_place_on_the_way() -> None:
    places = [(one.number, one.what) for one in Steps().take(progress(Fate.OK, cell(1, Fate.RUNNING)))]
    assert places == [(1, What.BEGAN), (1, What.ENDED), (2, What.BEGAN)]


def test_the_line_that_has_begun_is_that_of_the_running_cell() -> None:
    steps, now = Steps(), progress(Fate.OK, Fate.RUNNING, said=((0, "ended"), (1, "begun")))
    moments(steps, now)
    assert steps.begun_line(now) == "begun"
    assert steps.begun_line(progress(Fate.OK, Fate.OK)) == ""
