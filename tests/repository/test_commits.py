from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import git as gitpython
import pytest

from runner.adapters.signer.ssh import generate
from runner.errors import OutsideError
from runner.repository.commits import Author, Pack, write
from runner.repository.objects import Objects
from runner.repository.process import git
from runner.repository.repository import Repository

WHEN = datetime(2026, 11, 23, tzinfo=UTC)
WHO = Author(name="Alice", email="alice@example.org", when=WHEN)


@pytest.fixture(params=["sha1", "sha256"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Objects]:
    git(["init", "--quiet", f"--object-format={request.param}", "clone"], cwd=tmp_path)
    with Objects(Repository.open(tmp_path / "clone")) as made:
        yield made


def commit(objects: Objects, files: Mapping[str, bytes | None], *, parent: str | None = None) -> str:
    return write(objects, files, parent=parent, message="words\n", author=WHO, sign=None)


def test_git_finds_nothing_wrong_with_what_is_written(objects: Objects) -> None:
    first = commit(objects, {"a": b"1", "x/y/z": b"2", "x.y": b"3", "x-y": b"4", "x0": b"5"})
    second = commit(objects, {"x/y/w": b"6", "x/z": b"7", "big": b"b" * 300_000}, parent=first)
    git(["update-ref", "refs/heads/main", second], cwd=objects.repository.path)
    git(["fsck", "--strict", "--no-dangling"], cwd=objects.repository.path)
    listed = git(["ls-tree", "-r", "--name-only", second], cwd=objects.repository.path).decode().split()
    assert sorted(listed) == ["a", "big", "x-y", "x.y", "x/y/w", "x/y/z", "x/z", "x0"]


def test_only_what_is_named_changes(objects: Objects) -> None:
    first = commit(objects, {"a": b"1", "x/y": b"2"})
    second = commit(objects, {"a": b"9"}, parent=first)
    assert objects.read(second, "a") == b"9"
    assert objects.read(second, "x/y") == b"2"
    assert objects.read(first, "a") == b"1"


def test_what_is_none_is_removed_with_the_folders_that_become_empty_and_a_file_keeps_its_mode(objects: Objects) -> None:
    first = commit(objects, {"a": b"1", "x/y/z": b"2", "x/run": b"3"})
    clone = objects.repository.path
    oid = git(["rev-parse", f"{first}:x/run"], cwd=clone).decode().strip()
    git(["read-tree", first], cwd=clone)
    git(["update-index", "--add", "--cacheinfo", f"100755,{oid},x/run"], cwd=clone)
    tree = git(["write-tree"], cwd=clone).decode().strip()
    named = ["-c", "user.name=A", "-c", "user.email=a@x"]
    second = git([*named, "commit-tree", tree, "-p", first, "-m", "run"], cwd=clone).decode().strip()
    third = commit(objects, {"x/y/z": None, "none/there": None, "x/run": b"4"}, parent=second)
    listed = git(["ls-tree", "-r", third], cwd=clone).decode().splitlines()
    assert [line.split()[0] + " " + line.split("\t")[1] for line in listed] == ["100644 a", "100755 x/run"]
    assert sorted(objects.changed(first, third)) == ["x/run", "x/y/z"]
    assert sorted(objects.changed(second, third)) == ["x/run", "x/y/z"]
    assert list(objects.changed(third, third)) == []
    assert objects.read(third, "x/run") == b"4"
    git(["fsck", "--strict", "--no-dangling"], cwd=clone)


def test_a_folder_takes_the_place_of_a_file(objects: Objects) -> None:
    first = commit(objects, {"a": b"1"})
    second = commit(objects, {"a/b": b"2"}, parent=first)
    assert objects.read(second, "a/b") == b"2"
    assert objects.read(second, "a") is None


def test_no_branch_index_or_work_tree_is_touched(objects: Objects) -> None:
    commit(objects, {"a": b"1"})
    clone = objects.repository.path
    assert git(["for-each-ref"], cwd=clone) == b""
    assert sorted(one.name for one in clone.iterdir()) == [".git"]
    assert not (clone / ".git" / "index").exists()


def test_git_accepts_the_signature(objects: Objects, tmp_path: Path) -> None:
    signer = generate(tmp_path / "key")
    made = write(
        objects,
        {"a": b"1"},
        parent=None,
        message="words\n\nTrailer: x\n",
        author=WHO,
        sign=lambda data: signer.sign_ssh(data, namespace="git"),
    )
    (tmp_path / "signers").write_text(f'* namespaces="git" {signer.public_key}\n')
    setting = f"gpg.ssh.allowedSignersFile={tmp_path / 'signers'}"
    git(["-c", setting, "verify-commit", made], cwd=objects.repository.path)


def test_a_hostile_name_cannot_add_a_line(objects: Objects) -> None:
    who = Author(name="Eve\nparent 0 <x>", email="e@x>\n\nforged", when=WHEN)
    made = write(objects, {"a": b"1"}, parent=None, message="words\n", author=who, sign=None)
    found = objects.commit(made)
    assert found is not None
    assert (found.parents, found.message) == ((), "words\n")
    assert Author(name="<>", email="", when=WHEN).line().startswith("unknown <unknown> ")


def test_a_clone_that_may_not_be_written_says_so(tmp_path: Path) -> None:
    git(["init", "--quiet", "clone"], cwd=tmp_path)
    store = tmp_path / "clone" / ".git" / "objects"
    store.rename(tmp_path / "objects")
    store.write_text("not a folder")
    (tmp_path / "clone" / ".git" / "objects").unlink()
    store.mkdir()
    with Objects(Repository.open(tmp_path / "clone")) as objects:
        store.rmdir()
        store.write_text("a full disk looks like this to git: nothing can be created")
        with pytest.raises(OutsideError) as caught:
            commit(objects, {"a": b"1"})
    assert caught.value.hint


def test_commits_of_one_pack_build_on_each_other(objects: Objects) -> None:
    pack = Pack(objects)
    parent = None
    for number in range(5):
        parent = pack.commit({f"x/{number}": b"%d" % number}, parent=parent, message="m", author=WHO, sign=None)
    assert parent
    assert objects.commit(parent) is None, "nothing is in the repository before the pack is written"
    pack.write()
    git(["update-ref", "refs/heads/main", parent], cwd=objects.repository.path)
    git(["fsck", "--strict", "--no-dangling"], cwd=objects.repository.path)
    assert [path for path, _ in objects.walk(parent)] == [f"x/{number}" for number in range(5)]
    assert len(objects.since(None, parent) or ()) == 5


def test_another_library_reads_what_was_written(tmp_path: Path) -> None:
    git(["init", "--quiet", "clone"], cwd=tmp_path)
    with Objects(Repository.open(tmp_path / "clone")) as objects:
        first = commit(objects, {"x/y": b"old", "z": b"kept"})
        second = commit(objects, {"x/y": b"new"}, parent=first)
    with gitpython.Repo(tmp_path / "clone") as repository:
        read = repository.commit(second)
        assert [parent.hexsha for parent in read.parents] == [first]
        assert (read.author.email, read.committed_datetime, read.message) == (WHO.email, WHEN, "words\n")
        assert read.tree["x"]["y"].data_stream.read() == b"new"
        assert read.tree["z"].data_stream.read() == b"kept"
