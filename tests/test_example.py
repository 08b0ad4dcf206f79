"""The example in `outputs/example/`: real evidence that a reader can trust, and nothing of the machine that made it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.make_example import HOST

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "outputs" / "example"
GENESIS = (EXAMPLE / "genesis.txt").read_text().strip()
FOREIGN = re.compile(r"/(?:tmp|root|home|work|Users|var|usr|opt)/|@[\w-]+\.(?!org\b)|\.pyenv|site-packages")
"""Folders and addresses that are somebody's and not the example's."""


def verify(what: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "runner.cli.main", "verify", str(what), "--genesis", GENESIS, "--json", *more]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize("what", [EXAMPLE / "ledger.bundle", EXAMPLE], ids=["bundle", "files"])
def test_it_verifies_with_its_genesis(what: Path) -> None:
    done = verify(what)
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["runs"] == 1


def test_the_bundle_is_worth_level_three_with_its_witness() -> None:
    done = verify(EXAMPLE / "ledger.bundle", "--witness", str(EXAMPLE / "witness.txt"), "--min-level", "L3", "--deep")
    assert done.returncode == 0, done.stdout


def test_another_genesis_is_refused() -> None:
    command = [sys.executable, "-m", "runner.cli.main", "verify", str(EXAMPLE / "ledger.bundle"), "--genesis", "0" * 64]
    assert subprocess.run(command, check=False, capture_output=True, cwd=ROOT).returncode == 1


def test_files_and_bundle_hold_the_same_bytes(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "-b", "evidence", str(EXAMPLE / "ledger.bundle"), str(clone)], check=True)
    inside = {path.relative_to(clone / "outputs"): path.read_bytes() for path in files(clone / "outputs")}
    beside = {
        path.relative_to(EXAMPLE): path.read_bytes() for room in ("ledger", "runs") for path in files(EXAMPLE / room)
    }
    assert inside == beside
    branches = subprocess.run(["git", "-C", str(clone), "branch", "-r"], check=True, capture_output=True, text=True)
    assert set(re.findall(r"origin/(\w+)", branches.stdout)) >= {"main", "issues", "evidence"}


def test_nothing_of_the_machine_it_was_made_on_is_in_it(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--mirror", str(EXAMPLE / "ledger.bundle"), str(clone)], check=True)
    log = subprocess.run(["git", "-C", str(clone), "log", "--all", "-p"], check=True, capture_output=True, text=True)
    made = [line for line in log.stdout.splitlines() if "runbooks/" not in line]
    texts = {str(path): path.read_text() for path in files(EXAMPLE) if path.suffix != ".bundle"}
    assert [(name, FOREIGN.findall(text)) for name, text in texts.items() if FOREIGN.search(text)] == []
    assert [line for line in made if re.search(r"/(?:root|home|work|Users)/|\.pyenv|site-packages", line)] == []
    manifest = json.loads(next(EXAMPLE.rglob("manifest.json")).read_text())
    assert manifest["execution"]["owner"].startswith(f"{HOST}/")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
