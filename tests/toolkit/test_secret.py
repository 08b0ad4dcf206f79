"""Secrets in a cell: where they come from, and that they do not show themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.toolkit.secret import SecretUnavailable, secret


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


@pytest.mark.parametrize("written", ["[1]", "{}", '{"DB": 7}', '{"DB": ""}', '{"DB": null}'])
def test_what_is_no_text_under_that_name_is_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    file = tmp_path / "secrets.json"
    file.write_text(written)
    monkeypatch.setenv("RUNBOOK_SECRETS_FILE", str(file))
    with pytest.raises(SecretUnavailable, match="no secret DB"):
        secret("DB")


def test_a_secret_is_plain_text_for_whatever_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNBOOK_SECRETS_FILE", raising=False)
    monkeypatch.setenv("RUNBOOK_SECRET_DB", "hunter2")
    value = secret("DB")
    assert (f"{value}!", value.encode(), json.dumps([value])) == ("hunter2!", b"hunter2", '["hunter2"]')
    assert repr([value]) == "['(secret)']"
