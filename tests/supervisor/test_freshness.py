"""How fresh a look has to be."""

from __future__ import annotations

import threading
import time

import pytest

from runner.supervisor import freshness
from runner.supervisor.freshness import Freshness
from runner.wiring import FRESH


def test_the_forge_is_asked_by_the_first_look_and_then_not_again_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: at)
    wake, look = threading.Event(), Freshness()
    look.begin(wake)
    assert (look.forge, look.remote) == (100.0, FRESH)
    at = 100.0 + freshness.LATELY / 2
    look.begin(wake)
    assert look.forge == 100.0
    at = 100.0 + freshness.LATELY * 2
    look.begin(wake)
    assert look.forge == 100.0 + freshness.LATELY


def test_whoever_wakes_us_has_everything_asked_again_once() -> None:
    wake, look = threading.Event(), Freshness()
    look.begin(wake)
    first = look.forge
    wake.set()
    look.begin(wake)
    assert look.forge > first
    assert (look.remote, wake.is_set()) == (0.0, False)
    second = look.forge
    look.begin(wake)
    assert (look.forge, look.remote) == (second, FRESH)


def test_nothing_starts_on_what_was_read_for_an_earlier_look() -> None:
    wake, look = threading.Event(), Freshness()
    look.begin(wake)
    assert look.enough_to_start(asked=True)
    assert not look.enough_to_start(asked=False), "the remote was not asked"
    look.begin(wake)
    assert look.remote == 0.0
    assert look.enough_to_start(asked=True)
    look.begin(wake)
    assert not look.enough_to_start(asked=True), "the forge was not asked"
    look.begin(wake)
    assert look.enough_to_start(asked=True)
