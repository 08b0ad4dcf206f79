"""What somebody can try who may push to the branch, or who rewrites it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.errors import IntegrityError
from tests.adapters.forge.edits import FIRST, add, change, digest, entry, signature, two_issues
from tests.adapters.forge.site import Site


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
    entry(path, 3).write_text(json.dumps(text | {"number": 3, "prev": digest(last)}))


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
