from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from runner.cli.main import run
from tests.stories.world import git

from .conftest import Lived, Typed


def test_a_script_gets_every_invariant_and_a_person_the_same_in_lines(typed: Typed) -> None:
    said = json.loads(typed("bob", "verify", "--json").out)
    assert (said["standing"], said["runs"], said["project"]) == ("clean", 3, "lab-00000000")
    assert {"lines", "level", "head", "genesis", "open", "restsOn"} <= set(said)
    told = typed("bob", "verify").out
    assert all(f"{line['invariant']:>4} {line['standing']}" in told for line in said["lines"])
    assert told.splitlines()[-1].startswith("clean: ")


def test_an_altered_byte_is_named_and_is_the_exit_code(
    lived: Lived, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clone = tmp_path / "auditor"
    git(tmp_path, "clone", "-q", "-b", "evidence", str(lived.world.remote), str(clone))
    assert run(["verify", str(clone / "outputs")]) == 0
    capsys.readouterr()
    (notebook,) = [path for path in clone.rglob("executed.ipynb") if lived.good in str(path)]
    data = bytearray(notebook.read_bytes())
    data[200] ^= 1
    notebook.chmod(0o644)
    notebook.write_bytes(data)
    assert run(["verify", str(clone / "outputs")]) == 1
    told = capsys.readouterr().out
    assert "I6 violated" in told
    assert notebook.name in told
    assert told.splitlines()[-1].startswith("violated: ")


def test_a_bundle_is_enough(lived: Lived, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = tmp_path / "evidence.bundle"
    git(lived.world.remote, "bundle", "create", "-q", str(bundle), "evidence", "main")
    assert run(["-C", str(tmp_path), "verify", str(bundle), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "bundle"


def test_a_level_that_is_not_reached_fails(typed: Typed) -> None:
    said = typed("bob", "verify", "--min-level", "L1")
    assert said.code == 1
    assert "the level is L0, and L1 was asked for" in said.err


def test_what_cannot_be_checked_is_told_with_its_own_code(typed: Typed, tmp_path: Path) -> None:
    for source in ("no-such-revision", str(tmp_path / "none"), str(tmp_path)):
        said = typed("bob", "verify", source)
        assert (said.code, "Traceback" in said.err) == (5, False), said
    torn = tmp_path / "torn.bundle"
    torn.write_bytes(b"# v2 git bundle\nnonsense")
    assert typed("bob", "verify", str(torn)).code == 5


def test_nobody_is_asked_and_nothing_is_fetched(lived: Lived, tmp_path: Path) -> None:
    shutil.copytree(lived.world.clone("bob"), tmp_path / "alone", symlinks=True)
    with lived.world.on():
        assert run(["-C", str(tmp_path / "alone"), "verify"]) == 0, "its remote is not there"
