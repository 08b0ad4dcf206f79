from __future__ import annotations

import pytest

from runner.doctor.finding import Check, Remark, Who, examined, exit_code, fine, not_checked, warning, wrong
from runner.ports.premises import Unseen
from tests.doctor.place import place

BLIND = not_checked(Unseen(why="nobody answered"))


@pytest.mark.parametrize(
    ("remarks", "code"),
    [
        ([fine("a")], 0),
        ([fine("a"), BLIND], 5),
        ([BLIND, warning("b", fix="c")], 6),
        ([BLIND, wrong("b", fix="c", who=Who.AUTHOR)], 2),
        ([wrong("b", fix="c", who=Who.AUTHOR), wrong("b", fix="c")], 6),
        ([], 0),
    ],
)
def test_the_exit_code_says_who_acts_next_and_what_nobody_saw_is_never_fine(remarks: list[Remark], code: int) -> None:
    check = Check(number="D99", title="x", judge=lambda _facts: remarks)
    assert exit_code(examined(place(), (check,))) == code
