"""The append-only branch: racing writers, lost answers, and history that was changed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.adapters.forge import local_branch
from runner.adapters.forge.local_branch import Addition, Branch
from runner.errors import IntegrityError, OutsideError
from runner.ports.forge import IssueId
from runner.repository.commits import Author
from tests.adapters.forge.edits import FIRST, add, change, entry, two_issues
from tests.adapters.forge.site import NOW, Site, git

ALICE = Author(name="Alice", email="alice@x", when=NOW)


def branch(site: Site, name: str = "alice@x", **given: Callable[..., float]) -> Branch:
    return Branch(site.objects(name), "issues", pause=lambda _: None, **given)  # type: ignore[arg-type] # a clock only


def adding(**files: bytes) -> Callable[[str | None], Addition]:
    return lambda _: Addition(files={f"issues/{name}": data for name, data in files.items()}, message="add")


def names(one: Branch) -> list[str]:
    tip = one.tip(fresh=0.0)
    return git(one.objects.repository.path, "ls-tree", "-r", "--name-only", str(tip)).split()


def test_a_branch_that_is_not_there_begins_with_the_first_addition(site: Site) -> None:
    one = branch(site)
    assert one.tip() is None
    assert one.folders(None, "issues") == ()
    commit = one.append(adding(a=b"1"), author=lambda: ALICE)
    assert branch(site, "bob@x").tip() == commit
    assert git(site.remote, "rev-list", "--count", "issues") == "1"


def test_whoever_comes_second_builds_again_on_what_was_first(site: Site) -> None:
    one, other = branch(site), branch(site, "bob@x")
    tips: list[str | None] = []

    def build(tip: str | None) -> Addition:
        tips.append(tip)
        if len(tips) <= 2:
            other.append(adding(**{f"b{len(tips)}": b"2"}), author=lambda: ALICE)
        return adding(a=b"1")(tip)

    one.append(build, author=lambda: ALICE)
    assert len(set(tips)) == len(tips) == 3
    assert names(one) == ["issues/a", "issues/b1", "issues/b2"]


def test_whoever_is_always_second_gives_up_in_words(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_branch, "ATTEMPTS", 3)
    one, other = branch(site), branch(site, "bob@x")
    count = 0

    def build(tip: str | None) -> Addition:
        nonlocal count
        count += 1
        other.append(adding(**{f"b{count}": b""}), author=lambda: ALICE)
        return adding(a=b"1")(tip)

    with pytest.raises(OutsideError, match="3 attempts came second"):
        one.append(build, author=lambda: ALICE)
    assert names(other) == ["issues/b1", "issues/b2", "issues/b3"]


def test_nothing_to_add_writes_nothing(site: Site) -> None:
    assert branch(site).append(lambda _: None, author=lambda: ALICE) is None
    assert git(site.remote, "branch", "--list", "issues") == ""


def test_a_fetch_is_good_for_a_while_and_not_longer(site: Site) -> None:
    now = 0.0
    one, other = branch(site, clock=lambda: now), branch(site, "bob@x")
    assert one.tip() is None
    added = other.append(adding(a=b"1"), author=lambda: ALICE)
    now = local_branch.FRESH / 2
    assert one.tip() is None
    assert one.tip(fresh=0.0) == added
    later = other.append(adding(b=b"1"), author=lambda: ALICE)
    now = local_branch.FRESH * 2
    assert one.tip() == later


def test_what_is_no_regular_file_is_refused_by_its_place(site: Site) -> None:
    two_issues(site)

    def deeper(path: Path) -> None:
        (path / "issues" / "00001" / "deep").mkdir()
        (path / "issues" / "00001" / "deep" / "x").write_text("x")

    site.by_hand(deeper)
    one = branch(site)
    (first, _) = one.folders(one.tip(), "issues")
    with pytest.raises(IntegrityError, match="issues/00001/deep: it is a tree"):
        one.files(first.oid, "issues/00001")


def test_accepting_a_rewritten_branch_is_the_command_that_was_named(site: Site) -> None:
    two_issues(site)
    branch(site).tip()
    site.by_hand(lambda path: shutil.rmtree(path / "issues" / "00002"))
    one = branch(site)
    one.tip()
    assert "issues/00002/00000.json" in one.damaged("issues/00002")
    assert one.damaged("issues/00001") == ""
    subprocess.run(one.accepting.split(), cwd=one.objects.repository.path, check=True)
    again = branch(site)
    again.tip()
    assert again.damaged("issues/00002") == ""


def test_a_push_that_arrived_although_its_answer_was_lost_is_not_repeated(site: Site) -> None:
    alice = site.forge("alice@x")
    issue = alice.open_issue("t", "b").id
    # The remote takes the push, moves the branch, and dies before it says so.
    hook = site.remote / "hooks" / "post-receive"
    killed = site.folder / "killed"
    hook.write_text(f"#!/bin/sh\ntouch {killed}\nkill -9 $PPID\n")
    hook.chmod(0o755)
    assert alice.comment(issue, "words").id == "1/1"
    assert killed.exists()
    hook.unlink()
    assert [one.body for one in site.forge("bob@x").thread(issue).comments] == ["b", "words"]


def test_a_branch_that_was_rewritten_is_noticed_by_whoever_saw_it_before(site: Site) -> None:
    two_issues(site)

    def cut(path: Path) -> None:
        subprocess.run(["git", "-C", str(path), "reset", "-q", "--hard", "HEAD~1"], check=True)

    site.by_hand(cut, force=True)
    for _ in range(2):
        with pytest.raises(IntegrityError, match="rewritten") as caught:
            site.forge("alice@x").issues()
    assert "update-ref -d" in caught.value.hint
    with pytest.raises(IntegrityError, match="rewritten"):
        site.forge("alice@x").comment(FIRST, "words")
    # Somebody new cannot know.
    assert len(site.forge("new@x").issues()) == 2


def test_a_changed_file_is_noticed_by_whoever_saw_it_before_and_stops_its_issue_only(site: Site) -> None:
    two_issues(site)
    site.by_hand(lambda path: change(entry(path, 2), body="other words"))
    site.by_hand(add(site))
    for _ in range(2):
        forge = site.forge("alice@x")
        with pytest.raises(IntegrityError, match=r"issues/00001/00002\.json"):
            forge.thread(FIRST)
        with pytest.raises(IntegrityError, match="never may be"):
            forge.comment(FIRST, "words")
        assert "cannot be read" in forge.issues()[0].title
        forge.comment(IssueId("2"), "goes on")
