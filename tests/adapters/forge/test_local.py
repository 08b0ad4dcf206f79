"""The forge on plain Git, used by several people through one bare remote."""

from __future__ import annotations

import json
import multiprocessing
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runner.adapters.forge.local import LocalForge
from runner.adapters.signer.ssh import SshSigner
from runner.errors import RequestError
from runner.ports.forge import CommentId, Forge, IssueId
from runner.repository.objects import Objects
from runner.repository.repository import Repository
from runner.repository.sshsig import verify
from tests.adapters.forge.site import Site, git


def test_what_one_person_writes_the_other_reads_verified(site: Site) -> None:
    alice, bob = site.forge("alice@x"), site.forge("bob@x")
    issue = alice.open_issue("Disk is full", "Please clean **up**.\n", labels=frozenset({"ops"}))
    assert issue.id == "1"
    said = bob.comment(issue.id, "/runbook status")
    assert said.id == "1/1"
    thread = alice_again(site).thread(issue.id)
    assert thread.issue == issue
    assert [(one.author, one.body, one.verified, one.ours) for one in thread.comments] == [
        ("alice@x", "Please clean **up**.\n", True, False),
        ("bob@x", "/runbook status", True, False),
    ]
    proof = thread.comments[1].proof
    assert proof
    key = site.key("bob@x").public_key
    assert verify(proof.payload, proof.signature, public_key=key, namespace="runbook-comment")
    assert json.loads(proof.payload)["body"] == "/runbook status"


def alice_again(site: Site) -> Forge:
    return site.forge("alice@x")


def test_stock_ssh_keygen_verifies_a_comment(site: Site, tmp_path: Path) -> None:
    site.forge("alice@x").open_issue("t", "b")
    path = "issues/00001/00000.json"
    (tmp_path / "sig").write_text(git(site.remote, "show", f"issues:{path}.sig") + "\n")
    payload = subprocess.run(
        ["git", "-C", str(site.remote), "show", f"issues:{path}"], check=True, capture_output=True
    ).stdout
    (tmp_path / "signers").write_text(site.signers)
    command = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "signers"), "-I", "alice@x", "-n", "runbook-comment"]
    subprocess.run([*command, "-s", str(tmp_path / "sig")], input=payload, check=True, capture_output=True)


def test_closing_reopening_and_labels_write_one_entry_each_and_nothing_twice(site: Site) -> None:
    alice = site.forge("alice@x")
    issue = alice.open_issue("t", "b").id
    alice.close(issue)
    alice.close(issue)
    assert alice.issues() == []
    assert [one.id for one in alice.issues(only_open=False)] == [issue]
    alice.reopen(issue)
    alice.reopen(issue)
    alice.label(issue, add=frozenset({"a", "b"}), remove=frozenset({"c"}))
    alice.label(issue, add=frozenset({"a"}), remove=frozenset({"c"}))
    alice.label(issue, add=frozenset(), remove=frozenset({"b"}))
    (now,) = site.forge("bob@x").issues()
    assert now.open
    assert now.labels == {"a"}
    names = git(site.remote, "ls-tree", "--name-only", "issues:issues/00001").split()
    assert names == [f"{at:05d}.json{end}" for at in range(5) for end in ("", ".sig")]


def test_a_link_is_a_command_that_shows_the_file(site: Site) -> None:
    assert site.forge("bot").link(commit="a" * 40, path="outputs/x.md") == f"git show {'a' * 12}:outputs/x.md"


def test_without_a_remote_the_clone_is_its_own_forge(tmp_path: Path, site: Site) -> None:
    alone = tmp_path / "alone"
    subprocess.run(["git", "init", "-q", str(alone)], check=True)
    git(alone, "config", "user.email", "alice@x")
    with Objects(Repository.open(alone)) as objects:
        key = site.key("alice@x")
        forge = LocalForge.for_person(
            objects, project="p", branch="issues", signers=site.signers, bot="bot", bot_keys=(), now=site_now,
            signer=lambda: key,
        )  # fmt: skip
        issue = forge.open_issue("t", "b")
        assert forge.comment(issue.id, "words").verified
        assert [one.id for one in forge.issues()] == ["1"]
    assert git(alone, "rev-list", "--count", "issues") == "2"


def site_now() -> Any:
    from datetime import UTC, datetime

    return datetime(2026, 11, 23, tzinfo=UTC)


def _comment_many(*, folder: str, remote: str, key: str, signers: str, name: str, count: int) -> None:
    clone = Path(folder) / name
    subprocess.run(["git", "clone", "-q", remote, str(clone)], check=True, capture_output=True)
    git(clone, "config", "user.email", "alice@x")
    with Objects(Repository.open(clone)) as objects:
        signer = SshSigner(Path(key))
        forge = LocalForge.for_person(
            objects, project="p1", branch="issues", signers=signers, bot="bot", bot_keys=(), now=site_now,
            signer=lambda: signer,
        )  # fmt: skip
        for at in range(count):
            forge.comment(IssueId("1"), f"{name} {at}")
        forge.open_issue(f"from {name}", "b")


def test_eight_writers_at_once_lose_nothing_and_number_densely(site: Site) -> None:
    site.forge("alice@x").open_issue("t", "b")
    key = str(site.folder / "keys" / "alice@x")
    context = multiprocessing.get_context("spawn")
    names = [f"writer{at}" for at in range(8)]
    known = {"folder": str(site.folder), "remote": str(site.remote), "key": key, "signers": site.signers, "count": 3}
    workers = [context.Process(target=_comment_many, kwargs=known | {"name": name}) for name in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 8
    forge = site.forge("bob@x")
    comments = forge.thread(IssueId("1")).comments
    assert [one.id for one in comments] == [CommentId(f"1/{at}") for at in range(25)]
    assert all(one.verified for one in comments)
    assert sorted(one.body for one in comments[1:]) == sorted(f"{name} {at}" for name in names for at in range(3))
    assert sorted(one.title for one in forge.issues()[1:]) == sorted(f"from {name}" for name in names)
    assert [one.id for one in forge.issues()] == [str(at) for at in range(1, 10)]


def test_an_entry_is_plain_json_in_a_commit_by_its_author(site: Site) -> None:
    site.forge("alice@x").open_issue("t", "b")
    assert git(site.remote, "log", "-1", "--format=%an <%ae> %cI %s", "issues") == (
        "Alice <alice@x> 2026-11-23T02:30:28+00:00 Open 1/0"
    )
    entry = json.loads(git(site.remote, "show", "issues:issues/00001/00000.json"))
    assert re.fullmatch(r"[0-9a-f]{32}", entry.pop("nonce"))
    assert entry == {
        "kind": "open", "project": "p1", "issue": 1, "number": 0, "author": "alice@x", "body": "b", "title": "t",
        "labels": [], "time": "2026-11-23T02:30:28Z", "prev": None,
    }  # fmt: skip


def test_unsigned_and_unknown_writers_are_shown_unverified(site: Site) -> None:
    mallory, unsigned = site.forge("mallory@x"), site.forge("bob@x", signed=False)
    issue = site.forge("alice@x").open_issue("t", "b").id
    mallory.comment(issue, "/runbook approve 0123456789ab")
    unsigned.comment(issue, "/runbook approve 0123456789ab")
    comments = site.forge("alice@x").thread(issue).comments
    assert [(one.author, one.verified, one.proof) for one in comments[1:]] == [
        ("mallory@x", False, None),
        ("bob@x", False, None),
    ]
    for write in (mallory.close, unsigned.close):
        with pytest.raises(RequestError, match="allowed_signers"):
            write(issue)


def test_the_work_tree_is_left_alone(site: Site) -> None:
    clone = site.clone("alice@x")
    site.forge("alice@x").open_issue("t", "b")
    assert git(clone, "status", "--porcelain") == ""
    assert [one.name for one in clone.iterdir()] == [".git"]
    shutil.rmtree(clone)
