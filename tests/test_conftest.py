from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")
SKIPPING = """
import pytest

def test_one():
    pytest.skip("machine: no user namespaces")

def test_two():
    pytest.skip("no time")

@pytest.mark.skip(reason="not today")
def test_three():
    pass

@pytest.mark.xfail(reason="known", strict=True)
def test_four():
    assert False
"""


@pytest.mark.parametrize(
    ("ci", "told"), [("true", "1 failed, 1 skipped, 1 xfailed, 1 error"), ("", "3 skipped, 1 xfailed")]
)
def test_a_skip_is_a_failure_in_ci_unless_the_machine_is_the_reason(tmp_path: Path, ci: str, told: str) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "test_skips.py").write_text(SKIPPING)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    environment = {**os.environ, "CI": ci}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, env=environment)
    assert told in done.stdout


@pytest.mark.parametrize(("ci", "code"), [("true", 2), ("", 5)])
def test_a_module_that_is_skipped_whole_is_a_failure_in_ci(tmp_path: Path, ci: str, code: int) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "test_whole.py").write_text("import pytest\n\npytest.importorskip('no_such_library')\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    environment = {**os.environ, "CI": ci}
    assert subprocess.run(command, capture_output=True, cwd=tmp_path, check=False, env=environment).returncode == code
