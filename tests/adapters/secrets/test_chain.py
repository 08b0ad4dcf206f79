"""Several stores as one."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.adapters.secrets.chain import ChainedSecrets
from runner.adapters.secrets.environment import PREFIX, EnvironmentSecrets
from runner.adapters.secrets.files import FileSecrets
from runner.errors import OperatorError


def holding(**values: str) -> EnvironmentSecrets:
    return EnvironmentSecrets({PREFIX + name: value for name, value in values.items()})


def test_the_first_store_that_has_it_answers() -> None:
    chain = ChainedSecrets((holding(A="first"), holding(A="second", B="other")))
    assert (chain.resolve("A"), chain.resolve("B")) == ("first", "other")


def test_a_store_that_refuses_does_not_hide_the_next(tmp_path: Path) -> None:
    (tmp_path / "A").write_text("open to all")
    (tmp_path / "A").chmod(0o644)
    assert ChainedSecrets((FileSecrets(tmp_path), holding(A="kept well"))).resolve("A") == "kept well"


def test_a_chain_says_what_each_store_said(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="RUNBOOK_SECRET_PW is not set; there is no such file"):
        ChainedSecrets((EnvironmentSecrets({}), FileSecrets(tmp_path))).resolve("PW")
    with pytest.raises(OperatorError, match="no store is configured"):
        ChainedSecrets(()).resolve("PW")


def test_a_hint_that_two_stores_share_is_given_once() -> None:
    with pytest.raises(OperatorError) as caught:
        ChainedSecrets((holding(), holding())).resolve("A")
    assert caught.value.hint == "set it for the worker"
