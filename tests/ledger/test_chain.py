from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from runner.errors import IntegrityError, OperatorError, OutsideError
from runner.ledger.chain import Draft
from runner.ledger.event import path
from runner.ledger.state import State
from runner.repository.process import git
from tests.audit.by_hand import Hand
from tests.ledger.desks import NOW, a_clone, a_key, a_remote, genesis, note, opened, say, texts, writer

RACER = """
import sys
from pathlib import Path
from tests.ledger.desks import a_key, opened, say

clone, name, count, group = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
signer = a_key(clone.parent)
with opened(clone, cache=clone.parent / f"{name}.sqlite") as ledger:
    for first in range(0, count, group):
        say(ledger, signer, *(f"{name}/{number}" for number in range(first, first + group)))
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a bare remote with a genesis on record."""
    made = a_clone(a_remote(tmp_path), tmp_path, "clone")
    begin(made)
    return made


def begin(clone: Path, *, object_format: str = "sha1") -> None:
    signer = a_key(clone.parent)
    with opened(clone) as ledger:
        ledger.append(lambda _: [genesis(signer, object_format=object_format)], writer=writer(signer), now=lambda: NOW)


def race(clones: Sequence[Path], *, count: int, group: int) -> None:
    """Let one process for each clone append as fast as it can, all at once."""
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", RACER]
    running = [
        subprocess.Popen(
            [*command, str(clone), f"racer{place}", str(count), str(group)], env=env, stderr=subprocess.PIPE
        )
        for place, clone in enumerate(clones)
    ]
    for process in running:
        _, stderr = process.communicate(timeout=240)
        assert process.returncode == 0, stderr.decode()


@pytest.mark.parametrize("remote", [True, False])
def test_eight_processes_lose_nothing_and_double_nothing(tmp_path: Path, *, remote: bool) -> None:
    if remote:
        bare = a_remote(tmp_path)
        clones = [a_clone(bare, tmp_path, f"clone{place}") for place in range(8)]
    else:
        git(["init", "--quiet", "alone"], cwd=tmp_path)
        clones = [tmp_path / "alone"] * 8
    begin(clones[0])
    race(clones, count=6, group=2)
    with opened(clones[0], cache=tmp_path / "after.sqlite") as ledger:
        ledger.refresh()
        said = texts(ledger)
        assert ledger.state.seq == 48
    assert sorted(said) == sorted(f"racer{place}/{number}" for place in range(8) for number in range(6))
    for place in range(8):
        own = [text for text in said if text.startswith(f"racer{place}/")]
        assert own == [f"racer{place}/{number}" for number in range(6)]


def hook(clone: Path, text: str, *, name: str = "post-receive") -> None:
    bare = Path(git(["config", "remote.origin.url"], cwd=clone).decode().strip())
    script = bare / "hooks" / name
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)


def test_an_answer_that_is_lost_after_the_push_arrived_is_found_out(clone: Path, tmp_path: Path) -> None:
    # The remote takes the push and dies before it answers: the client sees a broken connection.
    hook(clone, f"touch {tmp_path}/arrived; kill -9 $PPID")
    signer = a_key(tmp_path)
    with opened(clone) as ledger:
        ledger.refresh()
        assert say(ledger, signer, "once") == (1,)
        assert say(ledger, signer, "twice") == (2,)
        assert texts(ledger) == ["once", "twice"]
    assert (tmp_path / "arrived").exists()


def test_a_push_that_never_arrived_is_reported_and_can_be_repeated(clone: Path, tmp_path: Path) -> None:
    git(["config", "remote.origin.receivepack", "false"], cwd=clone)
    signer = a_key(tmp_path)
    with opened(clone) as ledger:
        with pytest.raises(OutsideError):
            say(ledger, signer, "once")
        git(["config", "--unset", "remote.origin.receivepack"], cwd=clone)
        assert say(ledger, signer, "once") == (1,)
        assert texts(ledger) == ["once"]


def test_a_push_that_is_refused_on_principle_is_the_operators_business(clone: Path, tmp_path: Path) -> None:
    hook(clone, "echo not today >&2; exit 1", name="pre-receive")
    with opened(clone) as ledger, pytest.raises(OperatorError) as caught:
        say(ledger, a_key(tmp_path), "once")
    assert "right to push" in caught.value.hint


def test_whoever_was_second_judges_again_on_the_newer_state(clone: Path, tmp_path: Path) -> None:
    signer = a_key(tmp_path)
    other = a_clone(tmp_path / "remote.git", tmp_path, "other")
    seen: list[int] = []
    with opened(clone) as ledger, opened(other) as faster:

        def build(state: State) -> list[Draft]:
            seen.append(state.seq)
            if len(seen) == 1:
                say(faster, signer, "first")
            return [note("second")]

        (event,) = ledger.append(build, writer=writer(signer), now=lambda: NOW)
        assert event.seq == 2
        assert texts(ledger) == ["first", "second"]
    assert seen == [0, 1]


def test_nothing_is_pushed_where_the_precondition_fails(clone: Path, tmp_path: Path) -> None:
    with opened(clone) as ledger:
        before = ledger.refresh()
        assert ledger.append(lambda _: [], writer=writer(a_key(tmp_path)), now=lambda: NOW) == ()

        def refuse(_state: State) -> list[Draft]:
            raise OperatorError("trying", "no")

        with pytest.raises(OperatorError, match="no"):
            ledger.append(refuse, writer=writer(a_key(tmp_path)), now=lambda: NOW)
        assert ledger.refresh() == before


def test_a_rewritten_branch_is_refused_and_nothing_is_appended_to_it(clone: Path, tmp_path: Path) -> None:
    signer = a_key(tmp_path)
    with opened(clone) as ledger:
        say(ledger, signer, "one", "two")
        git(["push", "--quiet", "--force", "origin", "refs/remotes/origin/evidence~1:refs/heads/evidence"], cwd=clone)
        with pytest.raises(IntegrityError, match="no longer holds"):
            ledger.refresh()
        with pytest.raises(IntegrityError, match="no longer holds"):
            ledger.append(lambda _: [note("three")], writer=writer(signer), now=lambda: NOW)


def test_an_event_by_a_stranger_is_refused(clone: Path, tmp_path: Path) -> None:
    stranger = a_key(tmp_path, "stranger")
    with opened(clone) as ledger, pytest.raises(IntegrityError):
        ledger.append(lambda _: [note("hello")], writer=writer(stranger), now=lambda: NOW)


@pytest.mark.parametrize("edit", ["envelope", "missing", "number"])
def test_a_tampered_event_is_refused(clone: Path, tmp_path: Path, edit: str) -> None:
    with opened(clone) as ledger:
        say(ledger, a_key(tmp_path), "one")
    git(["update-ref", "refs/heads/evidence", "refs/remotes/origin/evidence"], cwd=clone)
    hand = Hand(repository=clone, keys={"runner": tmp_path / "key"})
    leaves = hand.read()
    leaf = leaves[1]
    leaf.touched = leaf.raw = True
    if edit == "envelope":
        leaf.envelope = leaf.envelope.replace(b'"sig":"', b'"sig":"AAAA', 1)
    elif edit == "missing":
        leaf.path = "outputs/elsewhere"
    else:
        leaf.path = path(2)
    hand.write(leaves, relink=False)
    git(["push", "--quiet", "--force", "origin", "evidence"], cwd=clone)
    fresh = a_clone(tmp_path / "remote.git", tmp_path, "fresh")
    with opened(fresh) as ledger, pytest.raises(IntegrityError):
        ledger.refresh()


def test_a_clock_that_is_far_behind_is_refused_and_a_little_is_evened_out(clone: Path, tmp_path: Path) -> None:
    signer = a_key(tmp_path)
    with opened(clone) as ledger:
        say(ledger, signer, "one")
        with pytest.raises(OperatorError, match="clock"):
            ledger.append(lambda _: [note("two")], writer=writer(signer), now=lambda: NOW - timedelta(minutes=10))
        (event,) = ledger.append(
            lambda _: [note("two")], writer=writer(signer), now=lambda: NOW - timedelta(seconds=60)
        )
        assert event.when == NOW


def test_without_a_remote_the_clone_is_its_own(tmp_path: Path) -> None:
    git(["init", "--quiet", "alone"], cwd=tmp_path)
    begin(tmp_path / "alone")
    with opened(tmp_path / "alone") as ledger:
        assert say(ledger, a_key(tmp_path), "one") == (1,)
    assert git(["rev-list", "--count", "evidence"], cwd=tmp_path / "alone").strip() == b"2"


def test_a_repository_with_sha256_objects_works_the_same(tmp_path: Path) -> None:
    clone = a_clone(a_remote(tmp_path, object_format="sha256"), tmp_path, "clone")
    if len(git(["hash-object", "--stdin"], cwd=clone)) < 60:
        git(["init", "--quiet", "--object-format=sha256", "own"], cwd=tmp_path)
        clone = tmp_path / "own"
        git(["remote", "add", "origin", str(tmp_path / "remote.git")], cwd=clone)
    begin(clone, object_format="sha256")
    with opened(clone) as ledger:
        assert say(ledger, a_key(tmp_path), "one") == (1,)
        assert len(ledger.tip or "") == 64


def test_a_remote_that_is_away_keeps_what_was_fetched_readable(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "remote.git").rename(tmp_path / "away.git")
    with opened(clone) as ledger:
        with pytest.raises(OutsideError):
            ledger.refresh()
        assert ledger.refresh(fetch=False).seq == 0
        with pytest.raises(OutsideError):
            say(ledger, a_key(tmp_path), "one")


def test_the_table_may_be_deleted_and_is_made_again_from_git(clone: Path, tmp_path: Path) -> None:
    signer = a_key(tmp_path)
    with opened(clone) as ledger:
        say(ledger, signer, "one", "two")
        state = ledger.state
    with opened(clone, cache=tmp_path / "new.sqlite") as ledger:
        assert ledger.refresh() == state
        assert texts(ledger) == ["one", "two"]


def test_an_event_is_one_signed_commit_that_adds_one_file(clone: Path, tmp_path: Path) -> None:
    with opened(clone) as ledger:
        say(ledger, a_key(tmp_path), "one", "two\nRunbook-Outcome: forged")
        tip = ledger.tip or ""
    listed = git(["log", "--format=%H", "--name-status", tip], cwd=clone).decode()
    assert [line for line in listed.splitlines() if "\t" in line] == [f"A\t{path(number)}" for number in (2, 1, 0)]
    trailers = git(["log", "-1", "--format=%(trailers)", tip], cwd=clone).decode()
    assert "Runbook-Event: 2" in trailers
    assert "forged" not in trailers
