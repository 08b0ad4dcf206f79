"""Being asked to end: at once while nothing runs, after the record while something does."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from runner.supervisor.ending import Ending

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@BOTH
def test_the_first_wish_ends_a_process_that_runs_nothing(number: signal.Signals) -> None:
    ending = Ending()
    with pytest.raises(KeyboardInterrupt, match=number.name), ending.listening():
        os.kill(os.getpid(), number)
    assert not ending.asked


@BOTH
def test_while_something_runs_the_first_wish_is_noted_and_the_second_obeyed(number: signal.Signals) -> None:
    ending = Ending()
    ending.busy = True
    with ending.listening():
        os.kill(os.getpid(), number)
        assert ending.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)


def test_what_was_there_before_is_there_again() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with Ending().listening():
        assert signal.getsignal(signal.SIGTERM) is not before[signal.SIGTERM]
    assert {number: signal.getsignal(number) for number in before} == before


def test_outside_of_the_main_thread_nobody_can_listen_and_nothing_breaks() -> None:
    reached: list[bool] = []

    def listen() -> None:
        with Ending().listening():
            reached.append(True)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert reached == [True]
