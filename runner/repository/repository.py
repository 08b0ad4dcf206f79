"""A clone: where it lies, which remote it has, and whether it can be worked with at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.errors import OperatorError
from runner.repository.process import GitError, git


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """An opened clone (or bare repository). `remote` is None where Git has no remote: then the clone is its own.

    `settings` is Git's configuration as it was when the clone was opened; a name that is set twice has its last value.
    """

    path: Path
    git_dir: Path
    remote: str | None
    bare: bool
    object_format: str
    settings: Mapping[str, str]

    @classmethod
    def open(cls, path: Path) -> Repository:
        """Open the repository that contains a folder.

        Raises:
            OperatorError: if there is none, or it is shallow (history is what we prove things from).
        """
        doing = f"opening the repository at {path}"
        if not path.is_dir():
            raise OperatorError(doing, "there is no such folder", hint="check its name, or where you are")
        query = ["rev-parse", "--absolute-git-dir", "--is-bare-repository", "--is-shallow-repository"]
        try:
            lines = git([*query, "--show-object-format", "--show-cdup"], cwd=path).decode().splitlines()
            settings = _settings(path)
        except (GitError, OSError) as error:
            wrong = "not a Git repository" if "not a git repository" in str(error) else str(error)
            raise OperatorError(doing, wrong, hint="run this inside a clone, or name one with --repository") from error
        git_dir, bare, shallow, object_format = Path(lines[0]), lines[1] == "true", lines[2] == "true", lines[3]
        if shallow:
            hint = "complete it with: git fetch --unshallow"
            raise OperatorError(doing, "the clone is shallow, so its history cannot be checked", hint=hint)
        top = git_dir if bare else (path / lines[4]).resolve() if len(lines) > 4 else git_dir.parent  # noqa: PLR2004 - inside .git there is no fifth line
        return cls(
            path=top,
            git_dir=git_dir,
            remote=_remote(settings),
            bare=bare,
            object_format=object_format,
            settings=settings,
        )

    def setting(self, name: str) -> str | None:
        """One value of Git's configuration, for example `user.email`; None where it is not set."""
        return self.settings.get(name.lower()) or None

    @property
    def folders(self) -> tuple[Path, ...]:
        """Git's own folders of the clone: configuration, which may hold a token, and objects. Two for a worktree."""
        shared = self.git_dir / "commondir"
        if not shared.exists():
            return (self.git_dir,)
        return (self.git_dir, (self.git_dir / shared.read_text().strip()).resolve())

    @property
    def remote_is_folder(self) -> bool:
        """Whether the remote lies on this machine's disk."""
        url = self.settings.get(f"remote.{self.remote}.url", "")
        return url.startswith(("/", ".", "file://"))

    @property
    def tracks_everything(self) -> bool:
        """Whether Git itself moves the remote-tracking refs along with every push."""
        return self.settings.get(f"remote.{self.remote}.fetch") == f"+refs/heads/*:refs/remotes/{self.remote}/*"


def _settings(path: Path) -> dict[str, str]:
    pairs = (item.partition("\n") for item in git(["config", "--list", "-z"], cwd=path).decode().split("\0") if item)
    return {name: value if gap else "true" for name, gap, value in pairs}


def _remote(settings: Mapping[str, str]) -> str | None:
    """`origin`, or else the only remote, or else none."""
    names = {name.split(".", 1)[1].rpartition(".")[0] for name in settings if name.startswith("remote.")}
    if "origin" in names:
        return "origin"
    return names.pop() if len(names) == 1 else None
