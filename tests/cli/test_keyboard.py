"""The keyboard: a question is shown once, and what is typed is given once, without ever waiting for it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from runner.cli.keyboard import Keyboard
from tests.builders import A_QUESTION


class Desk:
    """A keyboard on a pipe, and what it showed."""

    def __init__(self) -> None:
        end, self.keys = os.pipe()
        self.source = os.fdopen(end)
        self.seen: list[str] = []
        self.keyboard = Keyboard(
            show=lambda run, question: self.seen.append(f"{run} {question.text}"),
            hide=lambda: self.seen.append("hidden"),
            source=self.source,
        )

    def type(self, text: str) -> None:
        os.write(self.keys, text.encode())


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    with made.source:
        yield made
    os.close(made.keys)


def test_a_question_is_shown_once_and_a_line_is_given_once(desk: Desk) -> None:
    assert [desk.keyboard.typed("run", A_QUESTION) for _ in range(3)] == ["", "", ""]
    assert desk.seen == ["run Traffic drained?"]
    desk.type("yes it is\n")
    assert desk.keyboard.typed("run", A_QUESTION) == "yes it is"
    assert desk.seen == ["run Traffic drained?", "hidden"]


def test_the_next_question_is_shown_again_and_so_is_one_that_was_answered_badly(desk: Desk) -> None:
    desk.keyboard.typed("run", A_QUESTION)
    desk.type("perhaps\n")
    desk.keyboard.typed("run", A_QUESTION)
    desk.keyboard.typed("run", A_QUESTION)
    desk.keyboard.typed("run", replace(A_QUESTION, ordinal=2, text="And now?"))
    assert desk.seen == ["run Traffic drained?", "hidden", "run Traffic drained?", "run And now?"]


def test_a_question_that_is_gone_makes_room_again(desk: Desk) -> None:
    desk.keyboard.gone("run")
    assert desk.seen == []
    desk.keyboard.typed("run", A_QUESTION)
    desk.keyboard.gone("other")
    desk.keyboard.gone("run")
    assert desk.seen == ["run Traffic drained?", "hidden"]


def test_a_closed_keyboard_is_not_asked_again() -> None:
    desk = Desk()
    os.close(desk.keys)
    with desk.source:
        assert [desk.keyboard.typed("run", A_QUESTION) for _ in range(2)] == ["", ""]
    assert desk.seen == ["run Traffic drained?", "hidden"]
