from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.stories.world import POLICY

from .conftest import Typed


def test_a_script_gets_the_rules_of_the_protected_branch(typed: Typed) -> None:
    (rule,) = json.loads(typed("bob", "policy", "--json").out)
    assert (rule["rule"], rule["may ask"], rule["isolation"]) == ("by two people", "@team", "none")
    assert rule["must approve"].startswith("1 of")


def test_a_person_gets_a_table_that_fits(typed: Typed) -> None:
    out = typed("bob", "policy", columns=80).out
    assert out.startswith("Identity: signed")
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "by two people" in out


def test_a_file_is_checked_before_it_is_merged(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY.replace("by two people", "from a file"))
    assert "from a file" in typed("bob", "policy", "--file", str(file)).out


def test_every_problem_of_a_file_is_told_at_once(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY.replace('"signed"', '"maybe"').replace("resolve =", "reslove ="))
    said = typed("bob", "policy", "--file", str(file))
    assert (said.code, said.out) == (6, "")
    assert "maybe" in said.err
    assert "reslove" in said.err


def test_a_policy_without_rules_says_that_nothing_may_run(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('identity = "signed"\n')
    assert typed("bob", "policy", "--file", str(file)).out == "the policy has no rules, so nothing may run\n"


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"[[rule", b"identity = 7\n"])
def test_what_is_no_policy_is_the_operators(typed: Typed, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "policy.toml"
    file.write_bytes(data)
    said = typed("bob", "policy", "--file", str(file))
    assert said.code == 6
    assert "policy" in said.err


def test_a_folder_is_no_policy(typed: Typed, tmp_path: Path) -> None:
    said = typed("bob", "policy", "--file", str(tmp_path))
    assert said.code == 2
    assert "directory" in said.err
