"""`outputs/README.md` promises a page that checks one run with stock tools: here it is carried out as it is written."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from runner.ledger.bodies import TYPES, Said
from runner.ledger.event import path
from runner.repository.process import git
from tests.audit.by_hand import Hand, find
from tests.audit.ledgers import History, a_history
from tests.stories.world import World

README = Path(__file__).parents[2] / "outputs" / "README.md"


def page() -> str:
    found = re.findall(r"^```sh\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    made = a_history(tmp_path_factory.mktemp("page"))
    made.close()
    return made


def check(clone: Path, run: str, *, genesis: str) -> subprocess.CompletedProcess[str]:
    script = clone.parent / "check.sh"
    script.write_text(page(), encoding="utf-8")
    plain = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TMPDIR": str(clone.parent)}
    command = ["sh", str(script), run, genesis]
    return subprocess.run(command, cwd=clone, env=plain, capture_output=True, text=True, check=False)


def genesis_of(repository: Path) -> str:
    return hashlib.sha256(git(["cat-file", "blob", f"evidence:{path(0)}"], cwd=repository)).hexdigest()


def a_clone(repository: Path, folder: Path) -> Path:
    git(["clone", "--quiet", "--no-hardlinks", str(repository), "clone"], cwd=folder)
    return folder / "clone"


def test_a_stranger_can_check_one_run(history: History, tmp_path: Path) -> None:
    done = check(a_clone(history.path, tmp_path), history.runs[0], genesis=genesis_of(history.path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"run {history.runs[0]} holds" in done.stdout


def test_a_stranger_can_check_what_people_did_at_either_forge(world: World, tmp_path: Path) -> None:
    run = world.run(world.done())
    done = check(a_clone(world.remote, tmp_path), run.id, genesis=genesis_of(world.remote))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"run {run.id} holds" in done.stdout


def test_another_genesis_is_noticed(history: History, tmp_path: Path) -> None:
    assert check(a_clone(history.path, tmp_path), history.runs[0], genesis="0" * 64).returncode != 0


def edited(hand: Hand) -> None:
    leaves = hand.read()
    leaf = find(leaves, "finish")
    leaf.put("executed.ipynb", b"{}", name_it=False)
    for one in leaves:
        one.raw = True
    hand.write(leaves, relink=False)


def planted(hand: Hand) -> None:
    leaves = hand.read()
    leaf = find(leaves, "finish")
    leaf.extra = {leaf.file("summary.md").replace("summary", "another"): b"hello"}
    leaf.touched = True
    for one in leaves:
        one.raw = True
    hand.write(leaves, relink=False)


def forged(hand: Hand) -> None:
    leaves = hand.read()
    leaves[-1].key = "second"
    leaves[-1].touched = True
    hand.write(leaves)


def removed(hand: Hand) -> None:
    leaves = hand.read()
    del leaves[-2]
    for one in leaves:
        one.raw = one.touched = True
    hand.write(leaves, relink=False)


@pytest.mark.parametrize(
    ("tamper", "said"),
    [(edited, "FAILED"), (planted, "differ"), (forged, "not signed by a trusted key"), (removed, "broken link")],
)
def test_tampering_is_noticed(*, tamper: Callable[[Hand], None], said: str, history: History, tmp_path: Path) -> None:
    clone = a_clone(history.path, tmp_path)
    git(["update-ref", "refs/heads/evidence", "refs/remotes/origin/evidence"], cwd=clone)
    keys = {key: history.path.parent / f"keys-{history.project}" / key for key in history.keys}
    tamper(Hand(repository=clone, keys=keys))
    git(["update-ref", "refs/remotes/origin/evidence", "refs/heads/evidence"], cwd=clone)
    done = check(clone, history.runs[0], genesis=genesis_of(history.path))
    assert done.returncode != 0, done.stdout
    assert said in done.stdout + done.stderr
    assert "holds" not in done.stdout


@pytest.mark.parametrize("name", TYPES)
def test_every_event_type_is_described_with_every_field(name: str) -> None:
    text = README.read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
    if name == "late":
        row += next(line for line in text.splitlines() if line.startswith("| `finish` |"))
    for field in msgspec.structs.fields(TYPES[name]):
        assert f"`{field.encode_name}`" in row


def test_the_words_of_a_person_are_described() -> None:
    text = README.read_text(encoding="utf-8")
    for field in msgspec.structs.fields(Said):
        assert f"`{field.encode_name}`" in text
