"""The password that Git itself would use for an address: asked of Git's credential helpers, kept nowhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

from runner.errors import OperatorError
from runner.repository.process import GitError, git
from runner.repository.repository import Repository


def password(repository: Repository, url: str, *, user: str = "") -> str | None:
    """Ask the credential helpers that are configured for a clone.

    Args:
        repository: the clone, whose configuration names the helpers.
        url: the server; only its scheme, host and port are told to them.
        user: whose, where they have several for it; whatever they have for somebody else is passed over.

    Returns:
        The password or token, or None if no helper has one. Nobody is ever prompted.
    """
    where = urlsplit(url)
    question = f"protocol={where.scheme}\nhost={where.netloc}\n" + (f"username={user}\n\n" if user else "\n")
    # An empty program: Git would otherwise open a window to ask.
    quiet = {"GIT_ASKPASS": "", "SSH_ASKPASS": ""}
    try:
        said = git(["credential", "fill"], cwd=repository.path, stdin=question.encode(), env=quiet)
    except GitError:
        return None
    fields = dict(line.partition("=")[::2] for line in said.decode(errors="replace").splitlines())
    if user and fields.get("username") != user:
        return None
    return fields.get("password") or None


def token(repository: Repository, server: str) -> str:
    """The access token for a server that nothing can be done without.

    Raises:
        OperatorError: if no helper has one.
    """
    found = password(repository, server)
    if not found:
        hint = "store an access token with Git: git credential approve, or any credential helper"
        raise OperatorError(f"opening {server}", "Git has no token for it in this clone", hint=hint)
    return found
