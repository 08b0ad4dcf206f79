"""Secrets in files: only a small text file of our own that nobody else can read is one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.adapters.secrets.files import FileSecrets
from runner.errors import OperatorError
from runner.private import LARGEST


def put(folder: Path, name: str, data: bytes, *, mode: int = 0o600) -> Path:
    path = folder / name
    path.write_bytes(data)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o700])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    put(tmp_path, "PW", b"from-here-9", mode=mode)
    with pytest.raises(OperatorError, match="others may"):
        FileSecrets(tmp_path).resolve("PW")


def test_a_read_only_file_with_several_lines_is_taken_whole(tmp_path: Path) -> None:
    put(tmp_path, "KEY", b"line 1\nline 2\n\n", mode=0o400)
    assert FileSecrets(tmp_path).resolve("KEY") == "line 1\nline 2\n"


@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "binary", "large"])
def test_what_is_not_a_small_text_file_of_ours_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "PW"
    match kind:
        case "link":
            path.symlink_to(put(tmp_path, "REAL", b"from-here-9"))
        case "folder":
            path.mkdir(mode=0o600)
        case "fifo":
            os.mkfifo(path, 0o600)
        case "binary":
            put(tmp_path, "PW", b"\xff\xfe\x00abcdef")
        case "large":
            put(tmp_path, "PW", b"x" * 70_000)
    with pytest.raises(OperatorError):
        FileSecrets(tmp_path).resolve("PW")


@pytest.mark.skipif(os.geteuid() != 0, reason="machine: only root can give a file away")
def test_somebody_elses_file_is_refused(tmp_path: Path) -> None:
    os.chown(put(tmp_path, "PW", b"from-here-9"), 65534, 65534)
    with pytest.raises(OperatorError, match="somebody else"):
        FileSecrets(tmp_path).resolve("PW")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(lambda text: text != "\n"))
def test_any_text_comes_back_without_its_final_newline(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("secrets")
    put(folder, "PW", text.encode())
    assert FileSecrets(folder).resolve("PW") == text.removesuffix("\n")


def test_the_largest_value_is_taken_and_the_next_larger_is_not(tmp_path: Path) -> None:
    put(tmp_path, "PW", b"x" * LARGEST)
    assert len(FileSecrets(tmp_path).resolve("PW")) == LARGEST
    put(tmp_path, "PW", b"x" * (LARGEST + 1))
    with pytest.raises(OperatorError, match="larger than"):
        FileSecrets(tmp_path).resolve("PW")


def test_a_folder_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="no such file") as caught:
        FileSecrets(tmp_path / "nowhere").resolve("PW")
    assert "mode 0600" in caught.value.hint
