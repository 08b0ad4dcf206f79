"""The bare repository of a project: asked and changed with Git's own plumbing."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EMPTY = "0" * 40
_HOOK = """#!/usr/bin/env python3
import os, subprocess, sys
rules = [line.split(" ") for line in os.environ.get("STANDIN_PROTECTED", "").splitlines()]
for line in sys.stdin:
    old, new, ref = line.split()
    for name, push, force in rules:
        if ref != "refs/heads/" + name:
            continue
        if push != "yes" or not new.strip("0"):
            sys.exit("GitLab: You are not allowed to push code to protected branches on this project.")
        kept = not old.strip("0") or not subprocess.run(["git", "merge-base", "--is-ancestor", old, new]).returncode
        if not kept and force != "yes":
            sys.exit("GitLab: You are not allowed to force push code to a protected branch on this project.")
"""


class GitError(Exception):
    """Git said no."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A bare repository at a folder."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, *, branch: str) -> Repository:
        """Make an empty one, with the hook that keeps protected branches."""
        made = cls(folder)
        folder.mkdir(parents=True)
        made.git("init", "-q", "--bare", "-b", branch, ".")
        made.git("config", "http.receivepack", "true")
        made.git("config", "receive.advertisePushOptions", "true")
        # As Gitaly has it: a commit that GitLab keeps is given to whoever knows its id.
        made.git("config", "uploadpack.allowAnySHA1InWant", "true")
        hook = folder / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_HOOK)
        hook.chmod(0o755)
        return made

    def git(self, *words: str, data: bytes | None = None) -> str:
        """Run a Git command and return what it printed."""
        return self.raw(*words, data=data).decode(errors="replace").strip()

    def raw(self, *words: str, data: bytes | None = None) -> bytes:
        """Run a Git command and return its bytes."""
        done = subprocess.run(["git", *words], cwd=self.folder, input=data, capture_output=True, check=False)
        if done.returncode:
            raise GitError(done.stderr.decode(errors="replace").strip())
        return done.stdout

    def branches(self) -> dict[str, str]:
        """Every branch and where it is."""
        lines = self.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads").splitlines()
        return {name: sha for name, _, sha in (line.partition(" ") for line in lines)}

    def resolve(self, name: str) -> str | None:
        """The commit behind a branch, tag or id."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except GitError:
            return None

    def read(self, commit: str, path: str) -> bytes | None:
        """A file at a commit."""
        try:
            return self.raw("cat-file", "blob", f"{commit}:{path}")
        except GitError:
            return None

    def commit(self, sha: str, *, url: str = "") -> dict[str, Any]:
        """A commit as GitLab shows it."""
        text = self.git("show", "-s", "--format=%H%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B", sha)
        own, parents, author, address, authored, committer, mail, committed, message = text.split("\0", 8)
        return {
            "id": own,
            "short_id": own[:8],
            "created_at": committed,
            "parent_ids": parents.split(),
            "title": message.strip().splitlines()[0] if message.strip() else "",
            "message": message,
            "author_name": author,
            "author_email": address,
            "authored_date": authored,
            "committer_name": committer,
            "committer_email": mail,
            "committed_date": committed,
            "trailers": {},
            "extended_trailers": {},
            "web_url": f"{url}/-/commit/{own}",
        }

    def write(
        self, branch: str, changes: dict[str, bytes | None], *, start: str, message: str, by: tuple[str, str]
    ) -> str:
        """Commit files (None removes one) on a branch that begins at `start` where it is not there yet."""
        parent = self.resolve(f"refs/heads/{branch}") or self.resolve(start)
        index = self.folder / f"index-{branch.replace('/', '-')}"
        environment = ["-c", f"user.name={by[0]}", "-c", f"user.email={by[1]}"]
        lines = []
        for path, data in changes.items():
            blob = EMPTY if data is None else self.git("hash-object", "-w", "--stdin", data=data)
            lines.append(f"{'0' if data is None else '100644'} {blob}\t{path}\n")
        try:
            _with_index(self.folder, index, "read-tree", *([parent] if parent else ["--empty"]))
            _with_index(self.folder, index, "update-index", "--index-info", data="".join(lines).encode())
            tree = _with_index(self.folder, index, "write-tree")
        finally:
            index.unlink(missing_ok=True)
        parents = ["-p", parent] if parent else []
        made = self.git(*environment, "commit-tree", tree, *parents, "-F", "-", data=message.encode())
        self.git("update-ref", f"refs/heads/{branch}", made)
        return made

    def merge(self, source: str, target: str, *, message: str, by: tuple[str, str]) -> str:
        """Merge a commit into a branch; refused where both changed the same lines."""
        ours = self.resolve(f"refs/heads/{target}") or ""
        done = self.git("merge-tree", "--write-tree", ours, source)
        who = ["-c", f"user.name={by[0]}", "-c", f"user.email={by[1]}"]
        made = self.git(*who, "commit-tree", done.splitlines()[0], "-p", ours, "-p", source, "-m", message)
        self.git("update-ref", f"refs/heads/{target}", made, ours)
        return made

    def squash(self, source: str, target: str, *, message: str, by: tuple[str, str]) -> str:
        """One commit on a branch with all that another one adds to it; the branch itself does not move."""
        ours = self.resolve(f"refs/heads/{target}") or ""
        done = self.git("merge-tree", "--write-tree", ours, source)
        who = ["-c", f"user.name={by[0]}", "-c", f"user.email={by[1]}"]
        return self.git(*who, "commit-tree", done.splitlines()[0], "-p", ours, "-m", message)

    def forward(self, commit: str, target: str) -> None:
        """Move a branch forward to a commit; refused where it would lose something."""
        ours = self.resolve(f"refs/heads/{target}") or ""
        self.git("merge-base", "--is-ancestor", ours, commit)
        self.git("update-ref", f"refs/heads/{target}", commit, ours)

    def diffs(self, base: str, head: str) -> list[dict[str, Any]]:
        """What changed between two commits, file by file."""
        found = []
        for line in self.git("diff", "--raw", "--no-abbrev", "--no-renames", base, head).splitlines():
            fields, path = line.split("\t", 1)
            before, after, _, _, kind = fields[1:].split(" ")
            patch = self.git("diff", "--no-renames", base, head, "--", path)
            found.append(
                {
                    "diff": patch[patch.find("@@") :] + "\n" if "@@" in patch else "",
                    "collapsed": False,
                    "too_large": False,
                    "new_path": path,
                    "old_path": path,
                    "a_mode": before,
                    "b_mode": after,
                    "new_file": kind == "A",
                    "renamed_file": False,
                    "deleted_file": kind == "D",
                    "generated_file": None,
                }
            )
        return found


def _with_index(folder: Path, index: Path, *words: str, data: bytes | None = None) -> str:
    import os

    environment = os.environ | {"GIT_INDEX_FILE": str(index)}
    done = subprocess.run(["git", *words], cwd=folder, input=data, capture_output=True, check=False, env=environment)
    if done.returncode:
        raise GitError(done.stderr.decode(errors="replace").strip())
    return done.stdout.decode().strip()


def decoded(content: str, encoding: str) -> bytes:
    """A file's content as the API takes it."""
    return base64.b64decode(content) if encoding == "base64" else content.encode()
