"""Secrets from variables."""

from __future__ import annotations

import pytest

from runner.adapters.secrets.environment import EnvironmentSecrets
from runner.errors import OperatorError


def test_only_a_variable_with_the_prefix_is_a_secret() -> None:
    store = EnvironmentSecrets({"RUNBOOK_SECRET_PW": " as it is \n", "OTHER": "not ours"})
    assert store.resolve("PW") == " as it is \n"
    with pytest.raises(OperatorError, match="RUNBOOK_SECRET_OTHER is not set"):
        store.resolve("OTHER")


@pytest.mark.parametrize("name", ["", "A B", "A=B", "1A", "x" * 65, "A\n", "\u00c4"])
def test_what_is_no_name_is_never_looked_up(name: str) -> None:
    with pytest.raises(OperatorError, match="not a secret's name"):
        EnvironmentSecrets({f"RUNBOOK_SECRET_{name}": "hunter2"}).resolve(name)
