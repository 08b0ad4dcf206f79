from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.errors import OutsideError
from runner.repository.commits import Author, write
from runner.repository.objects import Objects
from runner.repository.process import git
from runner.repository.repository import Repository

WHO = Author(name="Alice", email="alice@example.org", when=datetime(2026, 11, 23, tzinfo=UTC))
FILES = {"a.txt": b"one", "folder/b.bin": bytes(range(256)), "folder/deep/c.txt": b"", "folder-x/d.txt": b"four"}


@pytest.fixture(params=["sha1", "sha256"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Objects]:
    git(["init", "--quiet", f"--object-format={request.param}", "clone"], cwd=tmp_path)
    with Objects(Repository.open(tmp_path / "clone")) as made:
        yield made


@pytest.fixture
def commit(objects: Objects) -> str:
    return write(objects, FILES, parent=None, message="first\n", author=WHO, sign=None)


def test_a_file_is_read_as_it_was_written(objects: Objects, commit: str) -> None:
    for path, data in FILES.items():
        assert objects.read(commit, path) == data


@pytest.mark.parametrize("path", ["nothing", "folder", "folder/", "a.txt/x", "../a.txt", "/a.txt", "a.txt\nHEAD", ""])
def test_what_is_no_file_is_none(objects: Objects, commit: str, path: str) -> None:
    assert objects.read(commit, path) is None


def test_folders_are_listed_and_walked_in_git_order(objects: Objects, commit: str) -> None:
    assert [(entry.name, entry.kind) for entry in objects.entries(commit)] == [
        ("a.txt", "blob"),
        ("folder-x", "tree"),
        ("folder", "tree"),
    ]
    assert [path for path, _ in objects.walk(commit)] == [
        "a.txt",
        "folder-x/d.txt",
        "folder/b.bin",
        "folder/deep/c.txt",
    ]
    assert [path for path, _ in objects.walk(commit, "folder")] == ["folder/b.bin", "folder/deep/c.txt"]
    assert objects.entries(commit, "nothing") == ()
    assert objects.entries(commit, "a.txt") == ()


def test_links_and_submodules_are_seen_and_never_followed(objects: Objects, commit: str) -> None:
    clone = objects.repository.path
    git(["read-tree", commit], cwd=clone)
    target = git(["hash-object", "-w", "--stdin"], cwd=clone, stdin=b"a.txt").decode().strip()
    git(["update-index", "--add", "--cacheinfo", f"120000,{target},link"], cwd=clone)
    git(["update-index", "--add", "--cacheinfo", f"160000,{commit},module"], cwd=clone)
    tree = git(["write-tree"], cwd=clone).decode().strip()
    env = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a"}
    linked = git(["commit-tree", tree, "-m", "links"], cwd=clone, env=env).decode().strip()
    assert {entry.name: entry.kind for entry in objects.entries(linked)}["link"] == "symlink"
    assert {entry.name: entry.kind for entry in objects.entries(linked)}["module"] == "submodule"
    assert objects.read(linked, "link") is None
    assert objects.read(linked, "module/a.txt") is None


def test_revisions_are_resolved_to_commits(objects: Objects, commit: str) -> None:
    git(["update-ref", "refs/heads/main", commit], cwd=objects.repository.path)
    assert objects.resolve("main") == commit
    assert objects.resolve(commit[:12]) == commit
    for wrong in ("nothing", "main:a.txt", "", "main\nmain", "0" * len(commit)):
        assert objects.resolve(wrong) is None
    assert objects.resolve("main") == commit


def test_a_commit_is_parsed(objects: Objects, commit: str) -> None:
    child = write(
        objects, {"e": b"5"}, parent=commit, message="second\n\nwords\n", author=WHO, sign=lambda data: f"<{len(data)}>"
    )
    found = objects.commit(child)
    assert found is not None
    assert (found.parents, found.message, found.committed) == ((commit,), "second\n\nwords\n", 1795392000)
    assert found.signature == f"<{len(found.signed_payload)}>"
    first = objects.commit(commit)
    assert first is not None
    assert (first.parents, first.signature) == ((), None)
    assert objects.commit(found.tree) is None


def test_an_object_that_is_missing_is_outside_trouble(objects: Objects, commit: str) -> None:
    entry = objects.lookup(commit, "a.txt")
    assert entry is not None
    missing = objects.repository.git_dir / "objects" / entry.oid[:2] / entry.oid[2:]
    missing.chmod(0o644)
    missing.unlink()
    with pytest.raises(OutsideError, match="missing"):
        objects.read(commit, "a.txt")


def test_a_reader_that_is_closed_says_so(tmp_path: Path) -> None:
    git(["init", "--quiet", "clone"], cwd=tmp_path)
    objects = Objects(Repository.open(tmp_path / "clone"))
    os.kill(objects._process.pid, 9)  # noqa: SLF001 - the reader's process dies, as it does on a machine without memory
    objects._process.wait()  # noqa: SLF001 - the same
    with pytest.raises((OutsideError, BrokenPipeError)):
        objects.get("HEAD")
    for pipe in (objects._process.stdin, objects._process.stdout):  # noqa: SLF001 - the same
        if pipe:
            try:
                pipe.close()
            except BrokenPipeError:
                continue
