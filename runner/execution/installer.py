"""The installers: uv where there is one, else pip. Both are told to install what a file pins, and nothing besides.

An installer gets an environment made from an allow list: its own settings and the network's, none of the worker's
secrets. What it says about a failure is kept without addresses, because those of private indexes may hold passwords.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_FROM_HOST = re.compile(
    r"PATH|HOME|LANG|LC_ALL|TZ|TMPDIR|XDG_[A-Z_]+|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE"
    r"|(?:HTTPS?|ALL|NO)_PROXY|(?:https?|all|no)_proxy|(?:PIP|UV)_[A-Z0-9_]+"
)
_SHOWN = 800
"""Characters of what an installer said that are kept."""
_POLL = 0.05


class FailedError(Exception):
    """An installer failed; the message is for people and holds no address."""

    def __init__(self, wrong: str, *, hint: str) -> None:
        super().__init__(wrong)
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Installing:
    """Installs into one environment.

    `held` is a file descriptor that every process of ours keeps open: the right to build is given back when the last
    of them is gone. `stopped` says whether somebody asked for the end.
    """

    held: int
    stopped: Callable[[], bool]

    def install(self, python: Path, lock: Path, *, hashed: bool, timeout: float) -> None:
        """Install every line of a lock file.

        Raises:
            FailedError: if that is not possible.
        """
        words = ["install", "--no-deps", "--only-binary", ":all:"]
        words += ["--require-hashes"] if hashed else []
        hint = "see that the index has exactly these versions as wheels for this machine, and ask again"
        who, command = _command(python, [*words, "-r", str(lock)])
        self._run(command, who=who, timeout=timeout, hint=hint)

    def check(self, python: Path, *, timeout: float) -> None:
        """See whether what is installed fits together, and whether a kernel could start.

        Raises:
            FailedError: if not.
        """
        hint = "compile the lock with everything that its packages need"
        who, command = _command(python, ["check"])
        self._run(command, who=who, timeout=timeout, hint=hint)
        kernel = [str(python), "-I", "-c", "import ipykernel.kernelapp, zmq"]
        self._run(kernel, who="importing the kernel", timeout=timeout, hint=hint)

    def _run(self, command: Sequence[str], *, who: str, timeout: float, hint: str) -> None:
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=_environment(os.environ),
                # Settings of a folder that we happen to be in are not ours.
                cwd=tempfile.gettempdir(),
                start_new_session=True,
                pass_fds=(self.held,),
            )
            status = self._ended(process, deadline=time.monotonic() + timeout)
            said.seek(0)
            text = _harmless(said.read(1024 * 1024).decode("utf-8", "replace"))
        if status is None:
            asked = "somebody asked for the end" if self.stopped() else f"it took longer than {timeout:.0f} s"
            raise FailedError(f"{who} was stopped: {asked}", hint="ask again")
        if status:
            raise FailedError(f"{who} failed: {text}", hint=hint)

    def _ended(self, process: subprocess.Popen[bytes], *, deadline: float) -> int | None:
        """Its exit status, or None if it had to be stopped."""
        while True:
            try:
                return process.wait(timeout=_POLL)
            except subprocess.TimeoutExpired:
                if time.monotonic() >= deadline or self.stopped():
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    return None


def _command(python: Path, words: Sequence[str]) -> tuple[str, list[str]]:
    """The installer's name, and its command line for an interpreter.

    Raises:
        FailedError: if this machine has none.
    """
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), sysconfig.get_path("scripts")))
    uv = shutil.which("uv", path=places)
    installs = words[0] == "install"
    if uv:
        # Copied and not cached: a hard link into a cache would let one environment alter another.
        more = ["--quiet", "--no-cache", "--link-mode", "copy", "--compile-bytecode"] if installs else []
        return "uv", [uv, "pip", *words, "--python", str(python), *more]
    if find_spec("pip"):
        more = ["--quiet", "--no-cache-dir", "--no-input"] if installs else []
        pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
        return "pip", [*pip, *words, *more]
    raise FailedError("there is neither uv nor pip", hint="install uv")


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in own.items() if _FROM_HOST.fullmatch(name)}


def _harmless(text: str) -> str:
    """The end of what an installer said, in one line, without addresses."""
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
    words = " ".join(re.sub(r"[A-Za-z][A-Za-z0-9+.-]*://\S+", "(address)", plain).split())
    return words if len(words) <= _SHOWN else "..." + words[-_SHOWN:]
