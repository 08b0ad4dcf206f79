"""Every check and every test, in one command: `python -m tests`. CI calls exactly this.

All steps run, whatever fails; the tests come last and alone, so that their summary is the last thing to
read. With CI=true a test that is skipped has failed, unless its reason begins with `machine:`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

SYSTEM = {
    "git": "git",
    "ssh-keygen": "openssh-client",
    "openssl": "openssl",
    "age-keygen": "age",
    "bwrap": "bubblewrap",
    "rsync": "rsync",
}
"""Programs that the tests need, and the Debian package that brings each."""

NODE = ROOT / "tests" / "gitlab" / "ci_local"
"""The program that runs `.gitlab-ci.yml`, pinned with all that it needs; where there is no npm, its test is skipped."""
WORKERS = str((os.cpu_count() or 1) + 1)
"""One more than there are cores: tests wait for processes, disks and clocks for part of their time."""

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("format", ("ruff", "format", "--check", ".")),
    ("lint", ("ruff", "check", ".")),
    ("types", ("mypy",)),
    ("import contracts", ("lint-imports", "--no-logo")),
    ("runbooks", ("runbook", "lint", "runbooks")),
    (
        "tests",
        ("pytest", "-n", WORKERS, "--dist", "worksteal", "--cov", "--cov-report", "term:skip-covered", "-r", "fEs"),
    ),
)


def main() -> int:
    """Run everything; 1 if anything failed."""
    _heading("system packages")
    failed = [] if _install() else ["system packages"]
    _heading("node packages")
    failed += [] if _install_node() else ["node packages"]
    # The small ones use one core each, and say little: they run at once, and are shown one after the other.
    *small, (_, tests) = STEPS
    with ThreadPoolExecutor() as pool:
        started = [(name, pool.submit(_run, command, shown=False)) for name, command in small]
        for name, step in started:
            good, said = step.result()
            _heading(name)
            print(said, end="", flush=True)
            failed += [] if good else [name]
    if failed:
        print(f"\nFailed so far: {', '.join(failed)}.", flush=True)
    _heading("tests")
    good, _ = _run(tests, shown=True)
    return 1 if failed or not good else 0


def _install() -> bool:
    packages = [package for program, package in SYSTEM.items() if shutil.which(program) is None]
    if not packages:
        print("all there:", ", ".join(SYSTEM), flush=True)
        return True
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print("missing, and not installed because that needs root and apt-get:", ", ".join(packages), flush=True)
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-q", "-y", *packages]):
        subprocess.run(command, check=False, env=environment)
    absent = [program for program in SYSTEM if shutil.which(program) is None]
    print("could not be installed:" if absent else "installed:", ", ".join(absent or packages), flush=True)
    return not absent


def _install_node() -> bool:
    npm = shutil.which("npm")
    if npm is None:
        print("npm is not here, so the test that runs .gitlab-ci.yml is skipped", flush=True)
        return True
    if (NODE / "node_modules" / ".package-lock.json").exists():
        print("all there", flush=True)
        return True
    words = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    return subprocess.run(words, cwd=NODE, check=False).returncode == 0


def _run(command: Sequence[str], *, shown: bool) -> tuple[bool, str]:
    """Run a step, and say whether all was well; what it said comes back, unless it was shown as it came."""
    program = BIN / command[0]
    if not program.exists():
        missing = f"{command[0]} is not installed here; run: {sys.executable} -m pip install -e '.[test]'\n"
        print(missing if shown else "", end="", flush=True)
        return False, missing
    # The environment's own programs come first, so that tests which start `runbook` start this one.
    environment = {**os.environ, "PATH": os.pathsep.join((str(BIN), os.environ.get("PATH", "")))}
    # Hundreds of processes are started, each of which would compile the whole runner for itself.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [str(program), *command[1:]],
        cwd=ROOT,
        check=False,
        env=environment,
        stdout=None if shown else subprocess.PIPE,
        stderr=None if shown else subprocess.STDOUT,
        text=True,
    )
    return done.returncode == 0, done.stdout or ""


def _heading(name: str) -> None:
    print(f"\n== {name} {'=' * (70 - len(name))}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
