"""Finding the issues on the branch: which there are, which are missing, and that each is read for itself."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from runner.adapters.forge.local_branch import FRESH
from runner.errors import IntegrityError
from runner.ports.forge import IssueId
from tests.adapters.forge.edits import FIRST, two_issues
from tests.adapters.forge.site import Site


def test_an_issue_that_was_removed_is_missed(site: Site) -> None:
    two_issues(site)
    site.by_hand(lambda path: shutil.rmtree(path / "issues" / "00001"))
    forge = site.forge("new@x")
    with pytest.raises(IntegrityError, match="was removed"):
        forge.thread(FIRST)
    assert "cannot be read" in forge.issues()[0].title
    # The number of the removed issue is not given again.
    assert forge.open_issue("three", "b").id == "3"


def test_a_folder_with_a_huge_number_changes_nothing(site: Site) -> None:
    two_issues(site)

    def attack(path: Path) -> None:
        shutil.copytree(path / "issues" / "00001", path / "issues" / "999999999")
        shutil.copytree(path / "issues" / "00001", path / "issues" / "0001")

    site.by_hand(attack)
    forge = site.forge("new@x")
    assert [one.id for one in forge.issues()] == ["1", "2"]
    assert forge.open_issue("three", "b").id == "3"


def test_reading_many_issues_starts_no_process_for_each(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = site.forge("alice@x")
    for at in range(12):
        alice.open_issue(f"issue {at}", "b")
    forge = site.forge("bob@x")
    started: list[object] = []
    real = subprocess.run

    def counted(*arguments: Any, **options: Any) -> Any:
        started.append(arguments)
        return real(*arguments, **options)

    monkeypatch.setattr(subprocess, "run", counted)
    assert len(forge.issues()) == 12
    few = len(started)
    for at in range(1, 13):
        forge.thread(IssueId(str(at)))
    assert few <= 6
    assert len(started) - few <= 12 * 2


def test_a_person_who_left_is_no_longer_verified(site: Site) -> None:
    two_issues(site)
    site.strangers = (*site.strangers, "bob@x")
    comments = site.forge("alice@x").thread(FIRST).comments
    assert [one.verified for one in comments] == [True, False, True]


def test_an_empty_branch_has_no_issues_and_the_first_is_number_one(site: Site) -> None:
    assert site.forge("alice@x").issues() == []
    assert site.forge("alice@x").open_issue("t", "b").id == "1"


def test_what_one_kept_in_mind_is_not_what_another_trusts(site: Site) -> None:
    two_issues(site)
    assert all(one.verified for one in site.forge("alice@x").thread(FIRST).comments)
    site.strangers = ("alice@x", "bob@x")
    assert not any(one.verified for one in site.forge("alice@x").thread(FIRST).comments)


def test_a_change_of_one_issue_is_seen_and_the_other_stays(site: Site) -> None:
    two_issues(site)
    reader = site.forge("bob@x")
    before = reader.thread(IssueId("2"))
    site.forge("alice@x").comment(FIRST, "new words")
    # For so long the remote's last answer is good enough to look at.
    time.sleep(FRESH)
    reader.issues()
    assert reader.thread(FIRST).comments[-1].body == "new words"
    assert reader.thread(IssueId("2")) == before
