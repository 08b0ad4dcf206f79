"""What vouches for deliveries, and that it is nobody else's to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import OperatorError
from runner.server import keys
from runner.server.delivery import Keys
from tests.server.test_delivery import KEY, OTHER


def put(folder: Path, name: str, text: str, *, mode: int = 0o600) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(mode)


def test_signing_tokens_are_a_line_each_and_the_plain_token_counts_if_it_is_there(tmp_path: Path) -> None:
    put(tmp_path, keys.SIGNING, f"{KEY}\n{OTHER}\n")
    assert keys.read(tmp_path) == Keys(signing=(KEY, OTHER))
    put(tmp_path, keys.TOKEN, "plain\n")
    assert keys.read(tmp_path).token == "plain"


def test_without_any_nothing_is_served(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="neither a signing token nor a plain one"):
        keys.read(tmp_path)


def test_what_others_may_read_is_refused(tmp_path: Path) -> None:
    put(tmp_path, keys.SIGNING, KEY, mode=0o644)
    with pytest.raises(OperatorError, match="others may read"):
        keys.read(tmp_path)


@pytest.mark.parametrize("line", ["whsec_", "whsec_AAEC", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "whsec_*"])
def test_a_line_that_is_no_signing_token_is_named_and_not_shown(tmp_path: Path, line: str) -> None:
    put(tmp_path, keys.SIGNING, f"{KEY}\n{line}\n")
    with pytest.raises(OperatorError, match="line 2 of webhook-signing") as refused:
        keys.read(tmp_path)
    assert line not in str(refused.value)
