"""What `runbook run` writes into the issue: the words at the keyboard as a request, every value the text that it is."""

from __future__ import annotations

import pytest

from runner.cli.main import run
from runner.request import block
from runner.request.asks import Block, asks
from tests.stories.world import World


def requested(world: World, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    """The parameters of the request that these words make, on a machine that may only ask."""
    with world.on("far"):
        run(["-C", str(world.clone("carol")), "run", "count", *words])
    capsys.readouterr()
    found = asks(world.thread("1").comments[0], bot="runbook")
    assert isinstance(found, tuple)
    assert isinstance(found[0], Block)
    return dict(block.read(found[0]).parameters)


def test_values_stay_the_texts_that_they_are(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    found = requested(world, capsys, "host=[a: b]", "folder=no", "empty=", 'text=it\'s "x"=y')
    assert found == {"host": "[a: b]", "folder": "no", "empty": "", "text": 'it\'s "x"=y'}


def test_a_name_with_a_dot_is_an_entry_of_a_mapping(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    found = requested(world, capsys, "values.release=2.0", "host=a", "values.count=3", "folder=/srv")
    assert found == {"values": {"release": "2.0", "count": "3"}, "host": "a", "folder": "/srv"}
