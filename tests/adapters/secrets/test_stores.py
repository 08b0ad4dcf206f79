"""From the setting to stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.adapters.secrets.environment import PREFIX
from runner.adapters.secrets.stores import AGE_KEY, DeferredSecrets, open_stores
from runner.errors import OperatorError, OutsideError
from runner.ports.secrets import Secrets
from tests.adapters.secrets.sealed import age_key, encrypted

AWAY = "vault:http://127.0.0.1:1/v1/kv/data/ops"


def opened(folder: Path, *names: str, **files: bytes) -> Secrets:
    return open_stores(
        names,
        environment={PREFIX + "A": "from-env"},
        folder=folder,
        credentials=folder / "stores",
        read=lambda path: files.get(path.partition(".")[0]),
    )


def test_the_named_stores_are_asked_in_their_order(tmp_path: Path) -> None:
    recipient = age_key(tmp_path / "stores" / AGE_KEY)
    (tmp_path / "B").touch(mode=0o600)
    (tmp_path / "B").write_text("from-file")
    sealed = encrypted("A: from-sops\nB: from-sops\nC: from-sops\n", to=recipient)
    stores = opened(tmp_path, "environment", "files", "sops:s.yaml", s=sealed)
    assert [stores.resolve(name) for name in "ABC"] == ["from-env", "from-file", "from-sops"]
    stores = opened(tmp_path, "sops:s.yaml", "environment", s=sealed)
    assert stores.resolve("A") == "from-sops"


def test_only_what_is_named_is_asked(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="there is no such file") as caught:
        opened(tmp_path, "files").resolve("A")
    assert PREFIX not in str(caught.value)


def test_a_store_that_is_away_is_not_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "stores" / "127.0.0.1:1"
    folder.mkdir(parents=True)
    (folder / "token").touch(mode=0o600)
    (folder / "token").write_text("t")
    with pytest.raises(OutsideError, match="is away"):
        opened(tmp_path, AWAY, "environment").resolve("A")
    assert opened(tmp_path, "environment", AWAY).resolve("A") == "from-env"


def test_a_kind_that_there_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="there is no store 'pass'"):
        opened(tmp_path, "pass:x")


def test_deferred_stores_are_opened_once_and_only_when_asked(tmp_path: Path) -> None:
    times = []

    def open_() -> Secrets:
        times.append(1)
        return opened(tmp_path, "environment")

    deferred = DeferredSecrets(open_)
    assert times == []
    assert (deferred.resolve("A"), deferred.resolve("A"), times) == ("from-env", "from-env", [1])
