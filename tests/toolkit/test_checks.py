"""Checks and waiting."""

from __future__ import annotations

import pytest

from runner.toolkit.checks import CheckFailed, check, wait_until


def test_a_check_says_what_is_true(capsys: pytest.CaptureFixture[str]) -> None:
    check([3], "one is one")
    check(lambda: [3], "there is something")
    assert capsys.readouterr().out == "ok: one is one\nok: there is something\n"


@pytest.mark.parametrize("condition", [False, None, [], lambda: 0])
def test_a_check_fails_with_its_words(condition: object) -> None:
    with pytest.raises(CheckFailed, match="not so: it is up"):
        check(condition, "it is up")


def test_a_check_that_breaks_fails_with_both(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CheckFailed, match=r"it is up \(ZeroDivisionError"):
        check(lambda: 1 / 0, "it is up")
    assert capsys.readouterr().out == ""


def test_waiting_ends_with_the_first_true_answer() -> None:
    answers = iter([0, RuntimeError("not yet"), "", 7, 8])

    def ask() -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert wait_until(ask, timeout=5, every=0.001) == 7


def test_waiting_in_vain_fails_with_the_last_answer() -> None:
    with pytest.raises(CheckFailed, match=r"it is up \(last seen: None\)"):
        wait_until(lambda: None, timeout=0.02, every=0.005, message="it is up")


def test_it_asks_at_least_once_and_never_after_its_time() -> None:
    asked: list[int] = []
    with pytest.raises(CheckFailed):
        wait_until(lambda: asked.append(1), timeout=0, every=60)
    assert asked == [1]


def test_the_samples_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from runner.toolkit import display

    shown: list[dict[str, object]] = []

    def keep(_mime: str, data: dict[str, object], *, text: str) -> None:
        shown.append(data | {"text": text})

    monkeypatch.setattr(display, "show", keep)
    count = iter(range(1000))
    wait_until(lambda: next(count) == 200, timeout=60, every=0)
    samples = shown[0]["samples"]
    assert isinstance(samples, list)
    assert len(samples) == 50
    assert samples[-1]["value"] == "True"
