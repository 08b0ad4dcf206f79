"""Checks: saying what has to be true, and waiting until it is, with what was seen kept as evidence."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from runner.toolkit import display

T = TypeVar("T")
_FIRST = 10
_LAST = 40


class CheckFailed(AssertionError):  # noqa: N818 - authors read it in a notebook: it says what happened
    """Something that had to be true was not."""


def check(condition: object, message: str) -> None:
    """Fail the cell unless something is true.

    Args:
        condition: a value, or a function to call for one.
        message: what has to be true, in words: it is printed when it is, and is the error when it is not.

    Raises:
        CheckFailed: if it is not true, or the function raised.
    """
    try:
        value = condition() if callable(condition) else condition
    except Exception as error:
        failed = f"not so: {message} ({type(error).__name__}: {error})"
        raise CheckFailed(failed) from error
    if not value:
        failed = f"not so: {message}"
        raise CheckFailed(failed)
    print(f"ok: {message}")  # noqa: T201 - the cell's output is the evidence


def wait_until(
    condition: Callable[[], T], *, timeout: float, every: float = 1.0, message: str = "the condition holds"
) -> T:
    """Ask again and again until the answer is true.

    Args:
        condition: asked at least once; an exception counts as a no and is kept as a sample.
        timeout: seconds, by a clock that nobody can set.
        every: seconds between two questions.
        message: what is being waited for, in words.

    Returns:
        The first true answer.

    Raises:
        CheckFailed: when the time is over, with the last answer.
    """
    begin = time.monotonic()
    samples: list[dict[str, object]] = []
    while True:
        answer, seen = _ask(condition)
        waited = time.monotonic() - begin
        samples.append({"seconds": round(waited, 3), "value": seen})
        if len(samples) > _FIRST + _LAST:
            del samples[_FIRST]
        if answer:
            display.show(display.SAMPLES, {"message": message, "ok": True, "samples": samples}, text=f"ok: {message}")
            return answer
        if waited + every > timeout:
            text = f"not so within {timeout:g} s: {message} (last seen: {seen})"
            display.show(display.SAMPLES, {"message": message, "ok": False, "samples": samples}, text=text)
            raise CheckFailed(text)
        time.sleep(every)


def _ask(condition: Callable[[], T]) -> tuple[T | None, str]:
    try:
        answer = condition()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a "not yet", and it is kept
        return None, f"{type(error).__name__}: {error}"[:200]
    return answer, repr(answer)[:200]
