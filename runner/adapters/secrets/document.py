"""What stores have in common: the names that secrets may have, and documents of several secrets by name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runner.digest import Json
from runner.errors import OperatorError
from runner.private import LARGEST

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def doing(name: str) -> str:
    """Say what is being done, for errors about one secret.

    Raises:
        OperatorError: if the name is not a secret's: then it is not looked up anywhere.
    """
    words = f"reading the secret {name}"
    if not _NAME.fullmatch(name):
        raise OperatorError(words, "that is not a secret's name")
    return words


def pick(values: Mapping[str, Json], name: str, *, store: str) -> str:
    """Take one secret out of a store's document.

    Args:
        values: the document; only its upper level is looked at.
        name: the secret's.
        store: what the store is called.

    Raises:
        OperatorError: if it is not there, or is not a text that could be a secret; never with the value.
    """
    words = doing(name)
    if name not in values:
        raise OperatorError(words, f"{store} has no {name}", hint=f"put {name} into {store}")
    value = values[name]
    if not isinstance(value, str) or not value or "\0" in value or len(value.encode("utf-8", "replace")) > LARGEST:
        wrong = f"what {store} has is not a text of 1 to {LARGEST} bytes"
        raise OperatorError(words, wrong, hint="keep numbers in quotes, and binary secrets as base64")
    return value
