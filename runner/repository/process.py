"""One way to run git: fixed arguments, no hooks, no prompts, a time limit, and errors without URLs.

Everything that this package does through the command line passes here, so that a hostile repository's configuration
(hooks, fsmonitor, exotic transports) has one place to be switched off.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from runner.errors import OutsideError

TIMEOUT = 120.0
"""Seconds that one git command may take."""

_HARDENED = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "protocol.allow=never",
    "-c", "protocol.file.allow=always",
    "-c", "protocol.https.allow=always",
    "-c", "protocol.ssh.allow=always",
    "-c", "core.quotePath=false",
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
    "-c", "core.fsync=loose-object,pack,reference",
    "-c", "core.fsyncMethod=batch",
)  # fmt: skip

_FOREIGN = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE",
    "GIT_CEILING_DIRECTORIES",
)


_ADVICE = ("hint:", "Please make sure you have the correct access rights", "and the repository exists.")
"""How git's own advice begins: it would push out of a short message what is wrong. Ours is in the hint."""


class GitError(OutsideError):
    """A git command did not do what was asked; `stderr` is kept for callers that can tell the reasons apart."""

    def __init__(self, doing: str, wrong: str, *, stderr: str = "", hint: str = "") -> None:
        super().__init__(doing, wrong, hint=hint)
        self.stderr = stderr


def environment() -> dict[str, str]:
    """The environment of every git process: ours, less what would point git elsewhere, and never a prompt."""
    env = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return env | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}


def command(*args: str) -> list[str]:
    """The full argument list of a git command."""
    return ["git", *_HARDENED, *args]


def without_urls(text: str) -> str:
    """Cut addresses down to their scheme: they may hold tokens."""
    return re.sub(r"\b(https?|ssh)://\S+", r"\1://...", text).strip()


def git(
    args: Sequence[str],
    *,
    cwd: Path,
    stdin: bytes = b"",
    timeout: float = TIMEOUT,
    env: Mapping[str, str] | None = None,
    doing: str = "",
) -> bytes:
    """Run one git command and return what it printed.

    Args:
        args: the command and its arguments; data goes after `--end-of-options` or through `stdin`.
        cwd: the repository.
        stdin: bytes to feed.
        timeout: seconds.
        env: variables to add.
        doing: what this is for, in an error message.

    Raises:
        GitError: if git fails, is missing, or takes too long.
    """
    what = doing or f"running git {args[0]}"
    try:
        done = subprocess.run(
            command(*args),
            cwd=cwd,
            input=stdin,
            capture_output=True,
            timeout=timeout,
            env=environment() | dict(env or {}),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise GitError(what, f"no answer within {timeout:.0f} s", hint="check the network and try again") from error
    except OSError as error:
        raise GitError(what, f"git could not be run ({error.strerror})", hint="install git 2.34 or newer") from error
    if done.returncode:
        stderr = without_urls(done.stderr.decode(errors="replace"))
        lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith(_ADVICE)]
        raise GitError(what, " ".join(lines[-3:]) or f"git ended with {done.returncode}", stderr=stderr)
    return done.stdout
