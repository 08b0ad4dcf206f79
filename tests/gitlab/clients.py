"""A foreign client for the stand-in: python-gitlab, and Git itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import gitlab
from gitlab.v4.objects import Project

from tests.gitlab.app import Server
from tests.gitlab.seed import PROJECT, Seeded


def client(server: Server, token: str) -> gitlab.Gitlab:
    """python-gitlab with a token, without its own repeating of requests."""
    return gitlab.Gitlab(server.base, private_token=token, timeout=10, retry_transient_errors=False)


def project_as(server: Server, seeded: Seeded, name: str) -> Project:
    """The seeded project, seen by somebody."""
    return client(server, seeded.tokens[name]).projects.get(seeded.project.id)


def git(*words: str, at: Path, certificate: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A Git command that asks nobody for a password, and believes this certificate if one is given."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
    environment |= {"GIT_SSL_CAINFO": str(certificate)} if certificate else {}
    return subprocess.run(["git", *words], cwd=at, env=environment, check=False, capture_output=True, text=True)


def clone(server: Server, token: str, folder: Path) -> Path:
    """A clone over HTTP, whose owner can commit."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    url = f"{server.base.replace('http://', f'http://oauth2:{token}@')}/{PROJECT}.git"
    assert git("clone", "-q", url, str(folder), at=folder.parent).returncode == 0
    for name, value in {"user.name": "Somebody", "user.email": "somebody@example.org"}.items():
        git("config", name, value, at=folder)
    return folder


def committed(folder: Path, files: dict[str, str]) -> None:
    """A commit with these files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git("add", "-A", at=folder)
    assert git("commit", "-qm", "change files", at=folder).returncode == 0


def rows(asked: Any) -> list[Any]:
    """All pages of a list."""
    return list(asked.list(get_all=True))
