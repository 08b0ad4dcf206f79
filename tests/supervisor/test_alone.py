"""One supervisor at a time."""

from __future__ import annotations

import threading
from pathlib import Path

from runner.supervisor.alone import alone


def test_the_second_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    order: list[str] = []
    told = threading.Event()

    def second() -> None:
        def say(words: str) -> None:
            said.append(words)
            told.set()

        with alone(tmp_path / "state", say=say):
            order.append("second")

    with alone(tmp_path / "state", say=said.append):
        thread = threading.Thread(target=second)
        thread.start()
        assert told.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]
    assert said == ["another supervisor is at work on this machine; waiting for it"]
