"""Goals 3 and 13: what the command line costs before and around a notebook."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.audit.ledgers import cell, notebook
from tests.benchmarks.row import Row, at_most, in_turn, ratio

BIN = Path(sys.executable).parent
PLAIN = notebook(
    cell("parameters", "count: int = 3\n", "parameters"),
    cell("one", "values = list(range(count))\n", "setup"),
    cell("two", "print(sum(values))\n", "read"),
    cell("three", "assert sum(values) == 3\n", "change"),
)
POLICY = """
[[rule]]
name = "all"
request = ["*"]
approve = {count = 0}
"""


def rows() -> Iterator[Row]:
    """All of them."""
    yield from help_text()
    yield from cold_run()


def _does(command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> Callable[[], object]:
    def act() -> object:
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return act


def help_text() -> Iterator[Row]:
    """Goal 13."""
    mine, other = in_turn(
        [_does([str(BIN / "runbook"), "--help"]), _does([str(BIN / "papermill"), "--help"])], rounds=7
    )
    detail = f"{sorted(mine)[3] * 1000:.0f} ms beside {sorted(other)[3] * 1000:.0f} ms"
    yield at_most("13", "runbook --help / papermill --help", ratio(mine, other), limit=0.2, detail=detail)


def cold_run(*, rounds: int = 3) -> Iterator[Row]:
    """Goal 3: request, plan, decision, execution, evidence and push, beside the papermill command alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clone, env = _stage(folder)
        (folder / "plain.ipynb").write_bytes(PLAIN)
        run = _does([str(BIN / "runbook"), "run", "plain"], clone, env)
        theirs = _does([str(BIN / "papermill"), "plain.ipynb", "out.ipynb"], folder, env)
        mine, other = in_turn([run, theirs], rounds=rounds)
    middle = rounds // 2
    detail = f"{sorted(mine)[middle]:.2f} s beside {sorted(other)[middle]:.2f} s"
    yield at_most(
        "3", "cold `runbook run` of a plain notebook / papermill", ratio(mine, other), limit=1.0, detail=detail
    )


def _stage(folder: Path) -> tuple[Path, dict[str, str]]:
    """A repository that was set up for runbooks, with one plain notebook that needs no approval."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"RUNBOOK_STATE": str(folder / "state"), "HOME": str(folder), "PATH": f"{BIN}:{env['PATH']}"}
    clone = folder / "clone"

    def do(*command: str, cwd: Path = clone) -> None:
        subprocess.run(command, cwd=cwd, env=env, check=True, capture_output=True)

    do("git", "init", "-q", "--bare", "-b", "main", "ops.git", cwd=folder)
    do("git", "clone", "-q", "ops.git", "clone", cwd=folder)
    do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "id"), cwd=folder)
    for key, value in {
        "user.name": "Alice",
        "user.email": "alice@example.org",
        "gpg.format": "ssh",
        "user.signingkey": str(folder / "id.pub"),
    }.items():
        do("git", "config", key, value)
    do("git", "commit", "-q", "--allow-empty", "-m", "begin")
    do("git", "push", "-q", "origin", "main")
    do(str(BIN / "runbook"), "init")
    do("git", "pull", "-q", "origin", "main")
    (clone / "runbooks").mkdir(exist_ok=True)
    (clone / "runbooks" / "plain.ipynb").write_bytes(PLAIN)
    (clone / "runbooks" / "policy.toml").write_text(POLICY)
    public = " ".join((folder / "id.pub").read_text().split()[:2])
    signers = clone / "runbooks" / "allowed_signers"
    known = signers.read_text() if signers.exists() else ""
    if public not in known:
        signers.write_text(f'{known}alice@example.org namespaces="git,runbook-comment" {public}\n')
    do("git", "add", "-A")
    do("git", "commit", "-q", "-m", "a plain notebook")
    do("git", "push", "-q", "origin", "main")
    return clone, env
