"""The bulletin: small, looked through before it leaves, and read as somebody's word."""

from __future__ import annotations

from runner.execution.outcome import CellFate, Fate
from runner.execution.progress import Progress, Said
from runner.supervisor import bulletin
from runner.supervisor.bulletin import Bulletin

TOKEN = "glpat-" + "a1B2c3D4" * 3


def progress(*texts: str, cells: int = 1) -> Progress:
    made = CellFate(
        index=0, id="c0", role="change", name="act", phase="forward", fate=Fate.FAILED, error="Error: a long story"
    )
    return Progress(
        key="run/2",
        cells=(made,) * cells,
        said=tuple(Said(at=0.0, phase="forward", cell="c0", name="act", text=text) for text in texts),
        seconds=61.26,
    )


def told(made: Bulletin) -> str:
    return "".join(one.text for one in made.said)


def test_it_comes_through_as_it_was_made() -> None:
    made = bulletin.make(progress("one\n", "two\n"), attempt=2)
    assert bulletin.read(bulletin.encode(made)) == made
    assert (made.attempt, made.seconds, told(made), made.withheld) == (2, 61.3, "one\ntwo\n", "")
    assert made.cells[0].error == ""


def test_only_the_end_of_the_log_is_told_and_it_stays_small() -> None:
    made = bulletin.make(progress(*(f"{number:06d}\n" for number in range(100_000)), cells=10_000), attempt=1)
    assert len(told(made)) == bulletin.WORDS
    assert told(made).endswith("099999\n")
    assert len(made.cells) == bulletin.CELLS
    assert len(bulletin.encode(made)) < bulletin.LARGEST
    assert len(told(bulletin.make(progress("x" * 100_000), attempt=1))) == bulletin.WORDS


def test_words_that_have_the_form_of_a_credential_do_not_leave_the_machine() -> None:
    made = bulletin.make(progress("fine\n", f"the token is {TOKEN[:12]}", f"{TOKEN[12:]}\n", "more\n"), attempt=1)
    assert (made.said, made.withheld) == ((), "gitlab-token")
    assert TOKEN[:12].encode() not in bulletin.encode(made)


def test_a_key_whose_beginning_is_cut_off_is_found_all_the_same() -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqh\n" * 1000
    assert bulletin.make(progress(key), attempt=1).said == ()


def test_what_is_no_bulletin_is_none() -> None:
    assert bulletin.read(None) is None
    assert bulletin.read(b"{}") is None
    assert bulletin.read(b"\xff") is None
    assert bulletin.read(b" " * (bulletin.LARGEST + 1)) is None
