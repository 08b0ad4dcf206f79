"""What somebody can try who may push to the branch, or who rewrites it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.errors import IntegrityError
from runner.ports.forge import IssueId
from runner.repository.sshsig import encode

if TYPE_CHECKING:
    from tests.adapters.forge.conftest import Site
else:
    Site = Any

FIRST = IssueId("1")


def two_issues(site: Site) -> None:
    alice, bob = site.forge("alice@x"), site.forge("bob@x")
    for title in ("one", "two"):
        issue = alice.open_issue(title, f"description of {title}").id
        bob.comment(issue, f"first of {title}")
        alice.comment(issue, f"second of {title}")


def entry(path: Path, at: int, issue: int = 1) -> Path:
    return path / "issues" / f"{issue:05d}" / f"{at:05d}.json"


def signature(file: Path) -> Path:
    return file.with_name(file.name + ".sig")


def change(file: Path, **fields: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_bytes()) | fields))


def edited_words(path: Path) -> None:
    change(entry(path, 1), body="/runbook approve 0123456789ab")


def removed_entry(path: Path) -> None:
    for file in (entry(path, 1), signature(entry(path, 1))):
        file.unlink()


def copied_from_another_issue(path: Path) -> None:
    for source, target in (
        (entry(path, 1, 2), entry(path, 3)),
        (signature(entry(path, 1, 2)), signature(entry(path, 3))),
    ):
        shutil.copy(source, target)


def replayed_in_its_own_issue(path: Path) -> None:
    shutil.copy(entry(path, 1), entry(path, 3))
    shutil.copy(signature(entry(path, 1)), signature(entry(path, 3)))


def swapped(path: Path) -> None:
    first, second = entry(path, 1), entry(path, 2)
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)


def link(path: Path) -> None:
    entry(path, 3).symlink_to("00001.json")


def garbage(path: Path) -> None:
    entry(path, 3).write_text("{")


def unknown_field(path: Path) -> None:
    text = json.loads(entry(path, 2).read_bytes())
    entry(path, 3).write_text(json.dumps(text | {"number": 3, "verified": True}))


def stray_file(path: Path) -> None:
    (entry(path, 0).parent / "README").write_text("words")


def stray_number(path: Path) -> None:
    (entry(path, 0).parent / "3.json").write_text("{}")


def gap(path: Path) -> None:
    shutil.copy(entry(path, 2), entry(path, 4))


def deep_nesting(path: Path) -> None:
    entry(path, 3).write_text("[" * 200_000)


def second_opening(path: Path) -> None:
    text = json.loads(entry(path, 0).read_bytes())
    last = entry(path, 2).read_bytes()
    entry(path, 3).write_text(json.dumps(text | {"number": 3, "prev": _digest(last)}))


def _digest(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "attack",
    [
        edited_words, removed_entry, copied_from_another_issue, replayed_in_its_own_issue, swapped, link, garbage,
        unknown_field, stray_file, stray_number, gap, deep_nesting, second_opening,
    ],
)  # fmt: skip
def test_a_damaged_issue_is_named_listed_and_does_not_stop_the_others(
    site: Site, attack: Callable[[Path], None]
) -> None:
    two_issues(site)
    site.by_hand(attack)
    forge = site.forge("new@x")
    with pytest.raises(IntegrityError, match="issues/00001") as caught:
        forge.thread(FIRST)
    assert caught.value.hint
    first, second = forge.issues()
    assert first.open
    assert "cannot be read" in first.title
    assert second.title == "two"
    assert len(forge.thread(second.id).comments) == 3


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


def add(site: Site, **fields: object) -> Callable[[Path], None]:
    """An attack that adds a well-formed entry with Mallory's signature, or another one."""

    def attack(path: Path) -> None:
        at = len(list(entry(path, 0).parent.glob("*.json")))
        last = entry(path, at - 1).read_bytes()
        blank = {"project": "p1", "issue": 1, "number": at, "author": "alice@x", "time": "2026-11-23T03:00:00Z"}
        rest = {"nonce": "0" * 32, "prev": _digest(last), "kind": "comment", "body": "/runbook status"}
        key = site.key(str(fields.pop("signed_by", "mallory@x")))
        namespace = str(fields.pop("namespace", "runbook-comment"))
        payload = json.dumps({name: one for name, one in (blank | rest | fields).items() if one is not None}).encode()
        entry(path, at).write_bytes(payload)
        signature(entry(path, at)).write_text(
            encode(payload, public_key=key.public_key, namespace=namespace, sign=key.sign)
        )

    return attack


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"author": "mallory@x"},
        {"author": "bob@x", "signed_by": "alice@x"},
        {"author": "bot"},
        {"author": "bot", "signed_by": "alice@x"},
        {"author": "alice@x", "signed_by": "bot"},
        {"author": "alice@x", "signed_by": "alice@x", "namespace": "git"},
        {"author": "ALICE@x", "signed_by": "alice@x"},
    ],
)
def test_an_entry_in_another_name_or_by_another_key_is_shown_unverified(site: Site, fields: dict[str, object]) -> None:
    two_issues(site)
    site.by_hand(add(site, **fields))
    last = site.forge("bob@x").thread(FIRST).comments[-1]
    assert last.body == "/runbook status"
    assert (last.verified, last.ours, last.proof) == (False, False, None)


def test_the_same_entry_by_its_true_author_is_verified(site: Site) -> None:
    two_issues(site)
    site.by_hand(add(site, author="alice@x", signed_by="alice@x"))
    assert site.forge("bob@x").thread(FIRST).comments[-1].verified


@pytest.mark.parametrize("damage", [b"", b"garbage", b"\xff\xfe", None])
def test_a_damaged_or_removed_signature_makes_its_entry_unverified(site: Site, damage: bytes | None) -> None:
    two_issues(site)

    def attack(path: Path) -> None:
        if damage is None:
            signature(entry(path, 1)).unlink()
        else:
            signature(entry(path, 1)).write_bytes(damage)

    site.by_hand(attack)
    comments = site.forge("new@x").thread(FIRST).comments
    assert [one.verified for one in comments] == [True, False, True]


def test_the_last_entry_edited_is_unverified(site: Site) -> None:
    two_issues(site)
    site.by_hand(lambda path: change(entry(path, 2), body="/runbook approve 0123456789ab"))
    last = site.forge("new@x").thread(FIRST).comments[-1]
    assert last.body.startswith("/runbook approve")
    assert not last.verified


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "close", "body": None},
        {"kind": "label", "body": None, "add": ["approved"], "remove": ["ops"]},
        {"kind": "edit", "comment": 2, "body": "/runbook approve 0123456789ab"},
        {"kind": "edit", "comment": 2, "body": "x", "author": "bob@x", "signed_by": "bob@x"},
        {"kind": "edit", "comment": 99, "body": "x", "author": "alice@x", "signed_by": "alice@x"},
    ],
)
def test_an_unproven_or_foreign_change_has_no_effect(site: Site, fields: dict[str, object]) -> None:
    two_issues(site)
    before = site.forge("bob@x").thread(FIRST)
    site.by_hand(add(site, **fields))
    assert site.forge("bob@x").thread(FIRST) == before


@pytest.mark.parametrize("time", ["yesterday", "2026-11-23T03:00:00", "", "99999-01-01T00:00:00Z"])
def test_a_time_that_is_none_is_refused(site: Site, time: str) -> None:
    two_issues(site)
    site.by_hand(add(site, time=time, signed_by="alice@x"))
    with pytest.raises(IntegrityError, match="issues/00001/00003"):
        site.forge("new@x").thread(FIRST)


@pytest.mark.parametrize("fields", [{"project": "p2"}, {"issue": 2}, {"number": 4}, {"prev": "0" * 64}])
def test_an_entry_written_for_another_place_is_refused(site: Site, fields: dict[str, object]) -> None:
    two_issues(site)
    site.by_hand(add(site, author="alice@x", signed_by="alice@x", **fields))
    with pytest.raises(IntegrityError, match="issues/00001/00003"):
        site.forge("new@x").thread(FIRST)


def test_a_body_of_two_megabytes_written_by_hand_is_not_shown(site: Site) -> None:
    two_issues(site)
    site.by_hand(add(site, author="alice@x", signed_by="alice@x", body="/runbook status\n" + "x" * 2_000_000))
    last = site.forge("new@x").thread(FIRST).comments[-1]
    assert "not shown" in last.body
    assert "/runbook" not in last.body


def test_an_entry_too_large_to_be_read_is_shown_as_such_and_the_thread_goes_on(site: Site) -> None:
    two_issues(site)
    site.by_hand(add(site, body="x" * 9_000_000))
    site.forge("alice@x").comment(FIRST, "after it")
    *_, large, last = site.forge("new@x").thread(FIRST).comments
    assert "more than 8,000,000 bytes" in large.body
    assert not large.verified
    assert (last.body, last.verified) == ("after it", True)


def test_a_branch_that_was_rewritten_is_noticed_by_whoever_saw_it_before(site: Site) -> None:
    two_issues(site)

    def cut(path: Path) -> None:
        from subprocess import run

        run(["git", "-C", str(path), "reset", "-q", "--hard", "HEAD~1"], check=True)

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


def test_a_person_who_left_is_no_longer_verified(site: Site) -> None:
    two_issues(site)
    site.strangers = (*site.strangers, "bob@x")
    comments = site.forge("alice@x").thread(FIRST).comments
    assert [one.verified for one in comments] == [True, False, True]
