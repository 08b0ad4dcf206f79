"""Private files; what refuses which file is told by `test_files`, whose secrets are such files."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner import private
from runner.errors import OperatorError


def test_a_private_file_is_read_without_its_final_newline(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_text("abc\n")
    assert private.read(path, doing="reading", absent="there is none", hint="put it there") == "abc"


def test_a_file_that_is_not_there_is_told_in_the_words_of_who_asks(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"^opening the store: this machine has no token \(No such file") as caught:
        private.read(tmp_path / "t", doing="opening the store", absent="this machine has no token", hint="put it there")
    assert caught.value.hint == "put it there"
