"""Errors are classed by who acts next, and that class is the exit code."""

from __future__ import annotations

import pytest

from runner import errors
from runner.errors import RunbookError


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.RequestError, 2),
        (errors.ApprovalError, 3),
        (errors.IntegrityError, 4),
        (errors.OutsideError, 5),
        (errors.OperatorError, 6),
    ],
)
def test_the_class_is_the_exit_code(kind: type[RunbookError], code: int) -> None:
    assert kind.exit_code == code
    assert issubclass(kind, RunbookError)


def test_an_error_says_what_was_being_done_what_was_wrong_and_what_to_try() -> None:
    error = errors.RequestError("reading the header", "it is empty", hint="write one")
    assert str(error) == "reading the header: it is empty"
    assert (error.doing, error.wrong, error.hint) == ("reading the header", "it is empty", "write one")
    assert str(errors.OutsideError("asking the remote")) == "asking the remote"
