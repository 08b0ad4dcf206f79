"""Records, artifacts and secrets: what leaves a cell, and what never does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.toolkit.artifacts import artifact
from runner.toolkit.field import Field
from runner.toolkit.records import record, recorded
from runner.toolkit.secret import SecretUnavailable, secret
from runner.toolkit.table import table


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


@pytest.mark.parametrize(
    ("name", "kind"),
    [("../x", ""), ("a/b", ""), (".x", ""), ("a..b", ""), ("a.txt", "text"), ("a.txt", "text/html; x")],
)
def test_an_artifact_needs_a_plain_name_and_type(name: str, kind: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        artifact(name, "x", kind)


def test_an_artifact_has_a_limit() -> None:
    with pytest.raises(ValueError, match="bytes"):
        artifact("a.bin", b"x" * (16 * 1024 * 1024 + 1))


def test_secrets_come_from_the_runners_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secrets.json"
    file.write_text(json.dumps({"DB": "hunter2"}))
    monkeypatch.setenv("RUNBOOK_SECRETS_FILE", str(file))
    monkeypatch.setenv("RUNBOOK_SECRET_OTHER", "from the environment")
    assert secret("DB") == "hunter2"
    assert "hunter2" not in repr(secret("DB"))
    with pytest.raises(SecretUnavailable, match="header"):
        secret("OTHER")


def test_in_plain_jupyter_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNBOOK_SECRETS_FILE", raising=False)
    monkeypatch.setenv("RUNBOOK_SECRET_DB", "hunter2")
    assert secret("DB") == "hunter2"
    with pytest.raises(SecretUnavailable, match="RUNBOOK_SECRET_OTHER"):
        secret("OTHER")
    with pytest.raises(SecretUnavailable):
        secret("../x")


def test_a_broken_file_of_secrets_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secrets.json"
    file.write_text('{"DB": "hunter2"')
    monkeypatch.setenv("RUNBOOK_SECRETS_FILE", str(file))
    with pytest.raises(SecretUnavailable) as caught:
        secret("DB")
    assert caught.value.__cause__ is None
    assert "hunter2" not in str(caught.value)


def test_a_table_is_text() -> None:
    assert str(table([{"a": 1, "b": "x\ny"}, {"a": 22}])) == "a   b\n--  ---\n1   x y\n22"
    assert str(table([])) == "(none)"
    assert str(table([(1, 2)], columns=["x", "y"])) == "x  y\n-  -\n1  2"


def test_a_field_keeps_its_bounds_and_knows_their_names() -> None:
    assert repr(Field(ge=1)) == "Field(ge=1)"
    with pytest.raises(TypeError, match="knows no default"):
        Field(default=3)
