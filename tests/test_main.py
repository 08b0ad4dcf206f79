from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tests.__main__ import STEPS, SYSTEM

ROOT = Path(__file__).resolve().parent.parent


def test_the_tests_come_last_so_that_their_summary_is_read_last() -> None:
    assert STEPS[-1][0] == "tests"


def test_ci_runs_exactly_the_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert script.rstrip().splitlines()[-1] == "exec .venv/bin/python -m tests"
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_the_hooks_before_a_commit_are_the_same_checks() -> None:
    hooks = set(re.findall(r"entry: ([^,\n]+)", (ROOT / ".pre-commit-config.yaml").read_text()))
    assert hooks == {" ".join(command) for name, command in STEPS if name != "tests"}


def test_every_check_is_installed_with_the_tests() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["test"]
    names = {re.split(r"[\[><=]", one)[0] for one in extras}
    assert {"ruff", "mypy", "pytest", "pytest-xdist", "pytest-cov", "import-linter"} <= names


def test_system_programs_come_with_their_packages() -> None:
    assert SYSTEM["ssh-keygen"] == "openssh-client"
