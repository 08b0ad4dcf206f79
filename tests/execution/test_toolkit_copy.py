"""The part of the product that cells may import: what is in it, and that its digest says so."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from runner.execution.toolkit_copy import digest, files, write


def test_it_is_an_empty_package_with_the_toolkit_and_nothing_else() -> None:
    found = files()
    assert found["runner/__init__.py"] == b""
    others = found.keys() - {"runner/__init__.py"}
    assert "runner/toolkit/__init__.py" in others
    assert all(path.startswith("runner/toolkit/") and "__pycache__" not in path for path in others)


@pytest.mark.parametrize(
    "other",
    [{"a": b"2", "b": b""}, {"a": b"1"}, {"a": b"1", "c": b""}, {"a": b"", "b": b"1"}, {"a": b"1", "b": b"", "c": b""}],
)
def test_the_digest_changes_with_any_path_and_any_byte_and_not_with_the_order(other: dict[str, bytes]) -> None:
    one = {"a": b"1", "b": b""}
    assert digest(one) == digest(dict(reversed(one.items())))
    assert digest(one) != digest(other)


def test_what_is_written_can_be_imported_is_read_only_and_has_the_same_digest(tmp_path: Path) -> None:
    write(files(), tmp_path)
    paths = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o400}
    assert digest({path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in paths}) == digest(files())
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import runner.toolkit; print(runner.toolkit.__file__)"
    command = [sys.executable, "-I", "-S", "-B", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]})
    assert done.stdout.strip() == str(tmp_path / "runner" / "toolkit" / "__init__.py")
