"""The outcome as it is stored."""

from __future__ import annotations

import json

import msgspec
import pytest

from runner.digest import parse, readable, sha256
from runner.execution.outcome import Artifact, ExitReason, Fate, Outcome, Redaction
from tests.builders import an_outcome

FULL = an_outcome(
    artifacts=(Artifact(path="artifacts/a.txt", sha256=sha256(b"a"), size=1, media_type="text/plain", cell=1),),
    redactions=(Redaction(rule="PW", count=2, where=("cell 1", "cell 2")),),
    records={"ticket": {"id": [1, None, 1.5]}},
    plan_outputs={"c2": "3 rows"},
)


def test_an_outcome_comes_back_as_it_was_sealed() -> None:
    assert parse(Outcome, readable(FULL)) == FULL


@pytest.mark.parametrize("reason", ExitReason)
def test_every_reason_to_stop_is_stored_by_its_word(reason: ExitReason) -> None:
    data = readable(msgspec.structs.replace(FULL, exit_reason=reason))
    assert json.loads(data)["exitReason"] == reason.value
    assert parse(Outcome, data).exit_reason is reason


@pytest.mark.parametrize("fate", Fate)
def test_every_fate_is_stored_by_its_word(fate: Fate) -> None:
    cells = tuple(msgspec.structs.replace(cell, fate=fate) for cell in FULL.cells)
    assert parse(Outcome, readable(msgspec.structs.replace(FULL, cells=cells))).cells == cells


@pytest.mark.parametrize(
    "change",
    [
        {"status": "fine"},
        {"exitReason": "bored"},
        {"more": 1},
        {"seconds": "4"},
        {"withheld": 0},
        {"cells": [{"fate": "ok"}]},
    ],
)
def test_what_is_not_exactly_an_outcome_is_none(change: dict[str, object]) -> None:
    written: dict[str, object] = json.loads(readable(FULL))
    with pytest.raises(msgspec.ValidationError):
        parse(Outcome, readable(written | change))
