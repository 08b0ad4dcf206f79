"""The evidence in the work tree: read-only files under `outputs/`, ready to be opened, that Git does not see.

A convenience and no record: what is proven is on the branch. Only what was added since the last time is written.
"""

from __future__ import annotations

from pathlib import Path

from runner.ledger.event import ROOT
from runner.repository.objects import Objects
from runner.repository.process import git

MARK = "runbook-view"
"""File in the Git folder that says which commit the work tree shows."""
SHOWN = ("runs/", "ledger/", "checkpoints/")


def refresh(objects: Objects, *, branch: str) -> int:
    """Bring the work tree's `outputs/` up to the evidence branch as it was last fetched.

    Returns:
        How many files were written; 0 in a bare repository.
    """
    repository = objects.repository
    tip = objects.tip(branch)
    if repository.bare or tip is None:
        return 0
    _exclude(repository.git_dir)
    mark = repository.git_dir / MARK
    old = mark.read_text().strip() if mark.exists() else ""
    if old == tip:
        return 0
    written = 0
    for path in _added(objects, old, tip):
        data = objects.read(tip, path)
        if data is not None and _write(repository.path / path, data):
            written += 1
    mark.write_text(tip + "\n")
    return written


def _added(objects: Objects, old: str, tip: str) -> list[str]:
    if old and objects.resolve(old):
        args = ["diff-tree", "-r", "--name-only", "-z", "--no-renames", old, tip, "--", ROOT]
        names = git(args, cwd=objects.repository.path).decode().split("\0")
        return [name for name in names if name]
    return [path for path, entry in objects.walk(tip, ROOT.rstrip("/")) if entry.kind == "blob"]


def _write(file: Path, data: bytes) -> bool:
    """Write one read-only file; what lies there already is replaced only if it differs."""
    if file.is_symlink() or any(parent.is_symlink() for parent in file.parents):
        return False
    if file.exists() and file.read_bytes() == data:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.new")
    temporary.write_bytes(data)
    temporary.chmod(0o444)
    temporary.replace(file)
    return True


def _exclude(git_dir: Path) -> None:
    """Tell this clone's Git to leave the view alone: main stays clean."""
    file = git_dir / "info" / "exclude"
    file.parent.mkdir(exist_ok=True)
    lines = file.read_text().splitlines() if file.exists() else []
    missing = [f"/{ROOT}{name}" for name in SHOWN if f"/{ROOT}{name}" not in lines]
    if missing:
        file.write_text("\n".join([*lines, *missing]) + "\n")
