"""A clone: where it lies, which remote it has, and whether it can be worked with at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runner.errors import OperatorError
from runner.repository.process import GitError, git


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """An opened clone (or bare repository). `remote` is None where Git has no remote: then the clone is its own."""

    path: Path
    git_dir: Path
    remote: str | None
    remote_is_folder: bool
    bare: bool
    object_format: str

    @classmethod
    def open(cls, path: Path) -> Repository:
        """Open the repository that contains a folder.

        Raises:
            OperatorError: if there is none, or it is shallow (history is what we prove things from).
        """
        doing = f"opening the repository at {path}"
        query = ["rev-parse", "--absolute-git-dir", "--is-bare-repository", "--is-shallow-repository"]
        try:
            lines = git([*query, "--show-object-format"], cwd=path).decode().splitlines()
        except (GitError, OSError) as error:
            wrong = "not a Git repository" if "not a git repository" in str(error) else str(error)
            raise OperatorError(doing, wrong, hint="run this inside a clone, or name one with --repository") from error
        git_dir, bare, shallow, object_format = Path(lines[0]), lines[1] == "true", lines[2] == "true", lines[3]
        if shallow:
            hint = "complete it with: git fetch --unshallow"
            raise OperatorError(doing, "the clone is shallow, so its history cannot be checked", hint=hint)
        top = git_dir if bare else Path(git(["rev-parse", "--show-toplevel"], cwd=path).decode().strip())
        remote = _remote(top)
        return cls(
            path=top,
            git_dir=git_dir,
            remote=remote,
            remote_is_folder=remote is not None and _is_folder(top, remote),
            bare=bare,
            object_format=object_format,
        )

    def setting(self, name: str) -> str | None:
        """Read one value of Git's configuration, for example `user.email`; None where it is not set."""
        try:
            return git(["config", "--get", name], cwd=self.path).decode().strip() or None
        except GitError:
            return None


def _remote(path: Path) -> str | None:
    """`origin`, or else the only remote, or else none."""
    names = git(["remote"], cwd=path).decode().split()
    if "origin" in names:
        return "origin"
    return names[0] if len(names) == 1 else None


def _is_folder(path: Path, remote: str) -> bool:
    url = git(["remote", "get-url", "--end-of-options", remote], cwd=path).decode().strip()
    return url.startswith(("/", ".", "file://"))
