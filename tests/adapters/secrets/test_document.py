"""Documents of several secrets."""

from __future__ import annotations

import pytest

from runner.adapters.secrets import document
from runner.errors import OperatorError
from runner.private import LARGEST

CANARY = "hunter2-canary"


def test_a_text_is_picked_by_its_exact_name() -> None:
    assert document.pick({"PW": CANARY, "pw": "other"}, "PW", store="here") == CANARY


@pytest.mark.parametrize("value", ["", 5, True, None, [CANARY], {"PW": CANARY}, f"{CANARY}\0", CANARY * LARGEST])
def test_what_could_be_no_secret_is_refused_and_not_repeated(value: object) -> None:
    with pytest.raises(OperatorError, match=r"reading the secret PW: what here has is not a text") as caught:
        document.pick({"PW": value}, "PW", store="here")  # type: ignore[dict-item] # what a document may hold
    assert CANARY not in str(caught.value) + caught.value.hint


def test_a_name_that_is_none_is_not_looked_up() -> None:
    with pytest.raises(OperatorError, match="not a secret's name"):
        document.pick({"../PW": CANARY}, "../PW", store="here")
