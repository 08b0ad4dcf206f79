from __future__ import annotations

from pathlib import Path

import pytest

from runner.audit.index import Index
from runner.audit.query import log
from runner.audit.rows import Filter
from runner.errors import IntegrityError
from runner.repository.process import git
from tests.audit.by_hand import Hand
from tests.audit.ledgers import History, a_history


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = a_history(tmp_path)
    made.close()
    return made


def rows(index: Index) -> list[tuple[object, ...]]:
    tables = ("run", "attempt", "person", "target", "touched", "event", "meta")
    queries = [f"SELECT * FROM {table} ORDER BY 1, 2" for table in tables]  # noqa: S608 - the names above
    return [row for query in queries for row in index.db.execute(query)]


def read(history: History, file: Path) -> list[tuple[object, ...]]:
    index = Index(file)
    index.update(history.objects.repository, branch="evidence")
    found = rows(index)
    index.close()
    return found


def test_an_index_that_was_deleted_is_made_again_the_same(history: History, tmp_path: Path) -> None:
    first = read(history, tmp_path / "index.sqlite")
    (tmp_path / "index.sqlite").unlink()
    assert read(history, tmp_path / "index.sqlite") == first


def test_only_what_is_new_is_read_and_it_comes_to_the_same(history: History, tmp_path: Path) -> None:
    commits = git(["rev-list", "--reverse", "evidence"], cwd=history.path).decode().split()
    index = Index(tmp_path / "slow.sqlite")
    counts = []
    for commit in commits:
        git(["update-ref", "refs/heads/evidence", commit], cwd=history.path)
        counts.append(index.update(history.objects.repository, branch="evidence"))
        assert index.update(history.objects.repository, branch="evidence") == 0
    assert counts == [1] * len(commits)
    assert rows(index) == read(history, tmp_path / "fast.sqlite")
    index.close()


def test_an_index_of_an_older_format_is_made_again(history: History, tmp_path: Path) -> None:
    first = read(history, tmp_path / "index.sqlite")
    index = Index(tmp_path / "index.sqlite")
    index.db.execute("PRAGMA user_version=0")
    index.db.execute("DELETE FROM run")
    index.close()
    assert read(history, tmp_path / "index.sqlite") == first


def test_a_rewritten_branch_is_refused(history: History, tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite")
    index.update(history.objects.repository, branch="evidence")
    git(["update-ref", "refs/heads/evidence", "evidence~1"], cwd=history.path)
    with pytest.raises(IntegrityError, match="no longer holds"):
        index.update(history.objects.repository, branch="evidence")
    index.close()


def test_a_forged_event_does_not_get_in_and_nothing_of_its_push_does(history: History, tmp_path: Path) -> None:
    folder = tmp_path / f"keys-{history.project}"
    hand = Hand(repository=history.path, keys={"runner": folder / "second"})
    leaves = hand.read()
    leaves[-1].touched = True
    hand.write(leaves)
    index = Index(tmp_path / "index.sqlite")
    with pytest.raises(IntegrityError):
        index.update(history.objects.repository, branch="evidence")
    assert log(index, Filter()) == ()
    index.close()


def test_a_clone_without_evidence_has_an_empty_index(tmp_path: Path) -> None:
    history = a_history(tmp_path, make=History.close)
    index = Index(tmp_path / "index.sqlite")
    assert index.update(history.objects.repository, branch="nothing") == 0
    assert log(index, Filter()) == ()
    index.close()


def test_a_resumed_run_waits_again_and_its_last_attempt_is_what_it_came_to(tmp_path: Path) -> None:
    history = a_history(tmp_path, make=lambda made: made.resumed())
    commits = git(["rev-list", "--reverse", "evidence"], cwd=history.path).decode().split()
    index, seen = Index(tmp_path / "index.sqlite"), []
    for commit in commits:
        git(["update-ref", "refs/heads/evidence", commit], cwd=history.path)
        index.update(history.objects.repository, branch="evidence")
        seen += index.db.execute("SELECT state, outcome, attempt FROM run").fetchall()
    assert seen[2:] == [
        ("started", None, 1),
        ("finished", "failed", 1),
        ("planned", None, 1),
        ("planned", None, 1),
        ("started", None, 2),
        ("finished", "succeeded", 2),
    ]
    assert index.db.execute("SELECT changed FROM attempt ORDER BY attempt").fetchall() == [("yes",), ("no",)]
    index.close()
    history.close()
