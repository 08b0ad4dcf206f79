"""Files in Git as proposing runbooks are given them."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from runner.errors import RequestError
from runner.plan.proposal import NOT_A_FILE
from runner.repository.objects import Objects
from runner.repository.repository import Repository
from runner.supervisor import tree


def committed(folder: Path) -> str:
    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "-q", "-b", "main")
    for name, text in {"infra/a.txt": "a", "infra/x/b.txt": "b", "infra/.env": "s", "other/c.txt": "c"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "infra" / "link.txt").symlink_to("../other/c.txt")
    (folder / "infra" / "way").symlink_to("../other")
    git("add", "-A")
    git("-c", "user.name=A", "-c", "user.email=a@x", "commit", "-qm", "files")
    return git("rev-parse", "HEAD")


def test_plain_files_that_the_header_opens_are_given_and_links_are_not(tmp_path: Path) -> None:
    commit = committed(tmp_path)
    with Objects(Repository.open(tmp_path)) as objects:
        packed = json.loads(tree.packed(objects, commit, ("infra/**/*.txt",)))
        assert {path: base64.b64decode(text) for path, text in packed.items()} == {
            "infra/a.txt": b"a",
            "infra/x/b.txt": b"b",
        }
        now = tree.at(objects, commit)
        assert (now("infra/a.txt"), now("infra/none.txt"), now("none/a.txt")) == (b"a", None, None)
        assert {now(path) for path in ("infra/link.txt", "infra/way/c.txt", "infra/x", "infra/a.txt/b")} == {NOT_A_FILE}


def test_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = committed(tmp_path)
    monkeypatch.setattr(tree, "MOST", 1)
    with Objects(Repository.open(tmp_path)) as objects, pytest.raises(RequestError, match="opens more than"):
        tree.packed(objects, commit, ("infra/**/*.txt",))
