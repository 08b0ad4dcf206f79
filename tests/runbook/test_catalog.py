"""Runbooks found by exact name in Git's own tree."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.errors import RequestError
from runner.repository.objects import Objects
from runner.repository.repository import Repository
from runner.runbook import catalog
from tests.runbook.notebooks import clean, notebook


def git(folder: Path, *words: str) -> str:
    people = {f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    found = subprocess.run(
        ["git", *words], cwd=folder, env=os.environ | people, check=True, capture_output=True, text=True
    )
    return found.stdout.strip()


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[Objects]:
    git(tmp_path, "init", "-q", "-b", "main")
    books = tmp_path / "runbooks"
    (books / "db").mkdir(parents=True)
    for name in ("rotate", "db/rotate", "disk-cleanup"):
        (books / f"{name}.ipynb").write_bytes(notebook(clean()))
    (books / "README.md").write_text("not a runbook")
    (books / "caf\u00e9.ipynb").write_bytes(notebook(clean()))
    (books / ".hidden.ipynb").write_bytes(notebook(clean()))
    (books / "link.ipynb").symlink_to("rotate.ipynb")
    (books / "broken.ipynb").write_text("{")
    (tmp_path / "outside.ipynb").write_bytes(notebook(clean()))
    git(tmp_path, "add", ".")
    module = f"160000,{'1' * 40},runbooks/module.ipynb"
    git(tmp_path, "update-index", "--add", "--cacheinfo", module)
    git(tmp_path, "commit", "-q", "-m", "runbooks")
    with Objects(Repository.open(tmp_path)) as found:
        yield found


def head(objects: Objects) -> str:
    found = objects.resolve("HEAD")
    assert found
    return found


def test_regular_notebooks_with_plain_names_are_listed(objects: Objects) -> None:
    assert catalog.names(objects, head(objects)) == ("broken", "db/rotate", "disk-cleanup", "rotate")


def test_a_runbook_is_found_at_a_commit(objects: Objects) -> None:
    commit = head(objects)
    found = catalog.find(objects, "db/rotate", commit=commit)
    assert (found.name, found.path, found.commit) == ("db/rotate", "runbooks/db/rotate.ipynb", commit)
    assert found.content == notebook(clean())


def test_the_work_tree_is_never_looked_at(objects: Objects) -> None:
    commit = head(objects)
    (objects.repository.path / "runbooks" / "rotate.ipynb").write_text("{")
    (objects.repository.path / "runbooks" / "later.ipynb").write_bytes(notebook(clean()))
    assert catalog.find(objects, "rotate", commit=commit).content == notebook(clean())
    with pytest.raises(RequestError):
        catalog.find(objects, "later", commit=commit)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nope", "no runbook of that name"),
        ("", "not the name"),
        ("../outside", "climbs out"),
        ("db/../rotate", "climbs out"),
        ("/etc/passwd", "a path"),
        ("~/x", "a path"),
        ("db\\rotate", "a path"),
        ("https://example.org/x", "URL"),
        ("file:///etc/passwd", "URL"),
        ("rotate.ipynb", "without its ending"),
        ("r\u043etate", "U\\+043E"),
        ("caf\u00e9", "U\\+00E9"),
        ("rotate\n", "not the name"),
        ("rotate*", "not the name"),
        ("{rotate}", "not the name"),
        ("Rotate", "no runbook"),
        ("db", "no runbook"),
        ("db//rotate", "not the name"),
        (".hidden", "not the name"),
        ("link", "symbolic link"),
        ("module", "submodule"),
        ("broken", "not JSON"),
        ("x" * 5000, "not the name"),
    ],
)
def test_anything_else_is_refused_in_clear_words(objects: Objects, name: str, words: str) -> None:
    with pytest.raises(RequestError, match=words) as caught:
        catalog.find(objects, name, commit=head(objects))
    assert str(caught.value).isascii()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", ["rotat", "db/rotat", "disk-clenup", "r\u043etate", "../rotate"])
def test_a_near_miss_is_answered_with_what_there_is(objects: Objects, name: str) -> None:
    with pytest.raises(RequestError) as caught:
        catalog.find(objects, name, commit=head(objects))
    assert "Did you mean" in caught.value.hint


def test_an_empty_catalog_says_how_to_begin(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "empty")
    with Objects(Repository.open(tmp_path)) as objects:
        assert catalog.names(objects, head(objects)) == ()
        with pytest.raises(RequestError) as caught:
            catalog.find(objects, "rotate", commit=head(objects))
    assert "runbook new" in caught.value.hint
