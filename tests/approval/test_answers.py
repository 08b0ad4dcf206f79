"""Answers: each is for one question, and worth exactly what its words say."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from runner.approval.answers import NotAnAnswerError, line, misplaced, read
from runner.digest import Json
from runner.ledger.bodies import Body, QuestionKind
from runner.request.arguments import Answer
from runner.runbook.parameters import Schema
from tests.builders import A_QUESTION, A_START, AN_ANSWER, a_run
from tests.test_lifecycle import CANCEL

CONFIRM = A_QUESTION
ASK = replace(A_QUESTION, kind=QuestionKind.ASK, parameter="batch", text="How many at once?")
SCHEMA = Schema.read(
    "from runner.toolkit import Annotated, Field\nhost: str\nbatch: Annotated[int, Field(ge=1, le=50)] = 10\n"
)


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("yes", True, ""),
        ("Yes", True, ""),
        ("yes  the graphs are flat", True, "the graphs are flat"),
        ("no", False, ""),
        ("NO not yet", False, "not yet"),
    ],
)
def test_a_confirmation_is_yes_or_no_and_a_reason(text: str, value: Json, reason: str) -> None:
    assert read(CONFIRM, text, schema=Schema()) == (value, reason)


@pytest.mark.parametrize("text", ["yesterday", "y", "ok", "true", "not no", "1", "yes, go"])
def test_other_words_confirm_nothing(text: str) -> None:
    with pytest.raises(NotAnAnswerError, match="accepted: yes, or no"):
        read(CONFIRM, text, schema=Schema())


@pytest.mark.parametrize(("text", "value"), [("12", 12), ("50", 50)])
def test_a_value_is_read_by_the_schema_of_its_parameter(text: str, value: Json) -> None:
    assert read(ASK, text, schema=SCHEMA) == (value, "")


@pytest.mark.parametrize("text", ["0", "51", "many", "12 please", "1.5", "true"])
def test_a_value_outside_the_schema_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(NotAnAnswerError, match=r"batch.*accepted: a whole number.*50"):
        read(ASK, text, schema=SCHEMA)


def test_a_question_whose_parameter_nobody_declares_takes_no_value() -> None:
    with pytest.raises(NotAnAnswerError, match="not declared"):
        read(replace(ASK, parameter="other"), "12", schema=SCHEMA)


@pytest.mark.parametrize("question", [CONFIRM, ASK])
def test_what_looks_like_a_secret_is_no_answer(question: Body) -> None:
    with pytest.raises(NotAnAnswerError, match="secret"):
        read(question, "yes glpat-abcdefghij0123456789", schema=SCHEMA)  # type: ignore[arg-type] # both are questions


SECOND = replace(A_QUESTION, ordinal=2, text="Shall the old one go?")


@pytest.mark.parametrize(
    ("later", "question", "wrong"),
    [
        ((A_START,), 0, "asks nothing now"),
        ((A_START, A_QUESTION, AN_ANSWER), 1, "asks nothing now"),
        ((A_START, A_QUESTION, CANCEL), 1, "is being cancelled"),
        ((A_START, A_QUESTION), 2, "q2 is not open"),
        ((A_START, A_QUESTION, AN_ANSWER, SECOND), 1, "q1 is not open; what run .* asks now is q2: Shall"),
        ((A_START, A_QUESTION, AN_ANSWER, SECOND), 0, "say which question you answer: /runbook answer q2 yes"),
        ((A_START, A_QUESTION), 0, ""),
        ((A_START, A_QUESTION), 1, ""),
        ((A_START, A_QUESTION, AN_ANSWER, SECOND), 2, ""),
    ],
)
def test_an_answer_is_for_the_open_question_and_for_no_other(
    later: tuple[Body, ...], question: int, wrong: str
) -> None:
    args = Answer(which="", question=question, text="yes")
    said = misplaced(args, a_run(*later).run, heard_since=True, late=False)
    assert re.search(wrong, said) if wrong else said == ""


def test_what_was_written_before_the_question_or_after_its_time_is_no_answer() -> None:
    run, args = a_run(A_START, A_QUESTION).run, Answer(which="", question=1, text="yes")
    assert "before q1 was asked here" in misplaced(args, run, heard_since=False, late=False)
    assert "over at 2026-11-23T13:00" in misplaced(args, run, heard_since=True, late=True)


def test_the_line_to_write_names_the_question() -> None:
    assert line(CONFIRM) == "/runbook answer q1 yes"
    assert line(replace(ASK, ordinal=3), run="RUN") == "/runbook answer RUN q3 VALUE"
