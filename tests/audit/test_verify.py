from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from runner.audit.finding import Level, Report, Standing
from runner.audit.source import opened
from runner.audit.verify import Pins, digest_of, read_witness, verify
from runner.digest import sha256
from runner.errors import OperatorError, OutsideError
from runner.repository.process import git
from tests.audit.ledgers import BEGIN, History, a_history

NOW = BEGIN + timedelta(hours=1)
NEEDS_CODE = ("I7", "I10", "I11", "I12", "I22")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    made = a_history(tmp_path_factory.mktemp("verify"))
    made.close()
    return made


def judge(what: str, *, at: Path, pins: Pins | None = None, processes: int = 1) -> Report:
    with opened(what, at=at) as source:
        return verify(source, now=NOW, pins=pins, processes=processes)


def standing(report: Report, *, of: str) -> Standing:
    return next(line.standing for line in report.lines if line.invariant == of)


def test_a_valid_history_is_clean(history: History) -> None:
    report = judge("", at=history.path)
    assert [violation for line in report.lines for violation in line.violations] == []
    assert report.exit_code == 0
    assert report.project == "ops"
    assert report.runs == 3
    assert report.head.startswith("15 ")
    unchecked = [line.invariant for line in report.lines if line.standing is Standing.NOT_CHECKED]
    assert unchecked == ["I17", "I18", "I23", "I24"]
    assert all(line.reason for line in report.lines if line.standing is Standing.NOT_CHECKED)


def test_it_says_whose_word_the_record_rests_on(history: History) -> None:
    rests = judge("", at=history.path).rests_on
    assert (rests.approvals_signed, rests.approvals_told) == (3, 0)
    assert (rests.requests_signed, rests.requests_told) == (3, 0)
    assert rests.attempts == 3


def test_the_level_needs_a_pin(history: History) -> None:
    bare = judge("", at=history.path)
    assert bare.level is Level.L0
    assert "pins" in bare.level_reason
    number, digest = bare.head.split()
    assert judge("", at=history.path, pins=Pins(genesis=bare.genesis[:12])).level is Level.L2
    witnessed = judge("", at=history.path, pins=Pins(witness={int(number): digest}))
    assert witnessed.level is Level.L4
    assert witnessed.levels == {"L4": 3}
    assert standing(witnessed, of="I17") is Standing.CLEAN


def test_an_old_witness_leaves_newer_attempts_at_a_lower_level(history: History) -> None:
    with opened("", at=history.path) as source:
        digests = {page.envelopes[0].path: sha256(page.envelopes[0].data or b"") for page in source.pages()}
    fifth = next(digest for path, digest in digests.items() if path.endswith("00000005.dsse.json"))
    report = judge("", at=history.path, pins=Pins(witness={5: fifth}))
    assert report.level is Level.L2
    assert report.levels == {"L2": 2, "L4": 1}


def test_a_wrong_pin_is_a_violation(history: History) -> None:
    report = judge("", at=history.path, pins=Pins(genesis="0" * 64))
    assert report.violated() == ("I17",)
    assert report.level is Level.L0


def test_a_bundle_with_both_branches_is_checked_like_the_clone(history: History, tmp_path: Path) -> None:
    git(["bundle", "create", str(tmp_path / "all.bundle"), "--branches"], cwd=history.path)
    report = judge(str(tmp_path / "all.bundle"), at=tmp_path)
    assert report.kind == "bundle"
    assert report.exit_code == 0
    assert standing(report, of="I12") is Standing.CLEAN


def test_a_bundle_of_the_evidence_alone_leaves_what_needs_code_unchecked(history: History, tmp_path: Path) -> None:
    git(["bundle", "create", str(tmp_path / "evidence.bundle"), "evidence"], cwd=history.path)
    report = judge(str(tmp_path / "evidence.bundle"), at=tmp_path)
    assert report.exit_code == 0
    assert {standing(report, of=number) for number in NEEDS_CODE} == {Standing.NOT_CHECKED}
    assert standing(report, of="I16") is Standing.CLEAN
    assert report.level is Level.L0


def test_a_plain_folder_leaves_what_needs_commits_unchecked(history: History, tmp_path: Path) -> None:
    git(["clone", "--quiet", "--branch", "evidence", str(history.path), "copy"], cwd=tmp_path)
    shutil.rmtree(tmp_path / "copy" / ".git")
    for place in (tmp_path / "copy", tmp_path / "copy" / "outputs"):
        report = judge(str(place), at=tmp_path)
        assert report.kind == "folder"
        assert report.exit_code == 0
        assert standing(report, of="I16") is Standing.NOT_CHECKED
        assert standing(report, of="I15") is Standing.CLEAN


@pytest.mark.parametrize(("file", "seen"), [("executed.ipynb", "I6"), ("planted.txt", "I15")])
def test_a_plain_folder_shows_edits_and_planted_files(
    history: History, tmp_path: Path, *, file: str, seen: str
) -> None:
    git(["clone", "--quiet", "--branch", "evidence", str(history.path), "copy"], cwd=tmp_path)
    shutil.rmtree(tmp_path / "copy" / ".git")
    attempt = next((tmp_path / "copy" / "outputs" / "runs").rglob("attempts/1"))
    (attempt / file).write_text("changed")
    report = judge(str(tmp_path / "copy"), at=tmp_path)
    assert seen in report.violated()
    named = [violation.file for line in report.lines for violation in line.violations if line.invariant == seen]
    assert named[0].endswith(f"attempts/1/{file}")


def test_a_link_in_a_folder_is_not_followed(history: History, tmp_path: Path) -> None:
    git(["clone", "--quiet", "--branch", "evidence", str(history.path), "copy"], cwd=tmp_path)
    shutil.rmtree(tmp_path / "copy" / ".git")
    attempt = next((tmp_path / "copy" / "outputs" / "runs").rglob("attempts/1"))
    (attempt / "executed.ipynb").rename(tmp_path / "elsewhere")
    (attempt / "executed.ipynb").symlink_to(tmp_path / "elsewhere")
    assert "I6" in judge(str(tmp_path / "copy"), at=tmp_path).violated()


def test_a_remote_tracking_branch_is_what_a_clone_has(history: History, tmp_path: Path) -> None:
    git(["clone", "--quiet", str(history.path), "clone"], cwd=tmp_path)
    for what, at in (
        ("", tmp_path / "clone"),
        (str(tmp_path / "clone"), tmp_path),
        ("origin/evidence~3", tmp_path / "clone"),
    ):
        report = judge(what, at=at)
        assert report.exit_code == 0
        assert standing(report, of="I7") is Standing.CLEAN
    assert report.head.startswith("12 ")


def test_a_sha256_repository_is_checked_too(tmp_path: Path) -> None:
    made = a_history(tmp_path, object_format="sha256")
    made.close()
    assert judge("", at=made.path).exit_code == 0
    git(["bundle", "create", "--version=3", str(tmp_path / "all.bundle"), "--branches"], cwd=made.path)
    assert judge(str(tmp_path / "all.bundle"), at=tmp_path).exit_code == 0


@pytest.mark.parametrize("what", ["nothing", "--upload-pack=touch x", "HEAD:runbooks"])
def test_what_is_not_there_cannot_be_checked(history: History, what: str) -> None:
    with pytest.raises(OutsideError) as caught:
        judge(what, at=history.path)
    assert caught.value.exit_code == 5
    assert caught.value.hint


def test_a_broken_bundle_cannot_be_checked(tmp_path: Path) -> None:
    (tmp_path / "broken.bundle").write_bytes(b"# v2 git bundle\n")
    with pytest.raises(OutsideError):
        judge(str(tmp_path / "broken.bundle"), at=tmp_path)


def test_a_branch_without_any_event_violates_something(history: History) -> None:
    assert "I16" in judge("main", at=history.path).violated()


def test_several_processes_find_what_one_finds(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.audit.signatures.FEW", 0)
    monkeypatch.setattr("runner.audit.signatures.BATCH", 4)
    assert judge("", at=history.path, processes=2).exit_code == 0


def test_a_witness_file_may_be_the_comments_themselves() -> None:
    digest = "5b" * 32
    text = f"Words.\n- head: 12 {digest}\n13 sha256:{digest}\n| 14 | x |\nsee 15 of them\n"
    assert read_witness(text) == {12: digest, 13: digest}


@pytest.mark.parametrize("text", ["", "no heads", "12 " + "a" * 64 + "\n12 " + "b" * 64])
def test_a_witness_file_without_heads_or_with_two_minds_is_refused(text: str) -> None:
    with pytest.raises(OperatorError):
        read_witness(text)


def test_a_pin_is_a_digest() -> None:
    assert digest_of("sha256:" + "AB" * 32) == "ab" * 32
    with pytest.raises(OperatorError):
        digest_of("5b1d")
