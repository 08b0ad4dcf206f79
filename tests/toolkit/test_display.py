"""Telling the runner something: a display message in a notebook, a line of text elsewhere."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from runner.execution import outputs
from runner.toolkit import display


def test_in_a_notebook_the_message_carries_data_and_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    published: list[dict[str, object]] = []
    shell = SimpleNamespace(display_pub=SimpleNamespace(publish=published.append))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    display.show(display.RECORD, {"name": "a", "value": 1}, text="recorded a")
    assert published == [{display.RECORD: {"name": "a", "value": 1}, "text/plain": "recorded a"}]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("module", [None, SimpleNamespace(get_ipython=lambda: None)])
def test_without_a_shell_the_words_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], module: object
) -> None:
    if module is None:
        monkeypatch.delitem(sys.modules, "IPython", raising=False)
    else:
        monkeypatch.setitem(sys.modules, "IPython", module)
    display.show(display.RECORD, {}, text="recorded a")
    assert capsys.readouterr().out == "recorded a\n"


def test_the_kinds_of_messages_are_those_that_the_runner_picks_out() -> None:
    assert (display.RECORD, display.ARTIFACT) == (outputs.RECORD, outputs.ARTIFACT)
