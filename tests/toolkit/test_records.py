"""Records: results that later cells, attempts and the runner find again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.toolkit.records import record, recorded


def test_a_record_is_there_for_later_cells() -> None:
    record("moved", {"files": (1, 2)})
    assert recorded("moved") == {"files": [1, 2]}


def test_records_of_earlier_attempts_come_from_the_runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "records.json"
    file.write_text(json.dumps({"earlier": 3, "both": "old"}))
    monkeypatch.setenv("RUNBOOK_RECORDS_FILE", str(file))
    record("both", "new")
    assert (recorded("earlier"), recorded("both")) == (3, "new")


def test_what_was_never_recorded_is_an_error_or_a_default() -> None:
    assert recorded("never", None) is None
    with pytest.raises(KeyError, match="nothing is recorded"):
        recorded("never")


@pytest.mark.parametrize(
    ("name", "value"), [("A", 1), ("", 1), ("x", object()), ("x", float("nan")), ("x", "a" * 70_000)]
)
def test_what_cannot_be_kept_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match="record"):
        record(name, value)
