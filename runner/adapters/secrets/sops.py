"""Secrets from a sops file of the repository, encrypted to this machine's age key and opened by the real `sops`.

The file is given to sops as bytes of the protected branch's commit, and what comes back stays in memory: no work tree
is read and nothing is written. sops gets none of our environment and no home folder, so that it asks no other key than
the one that it is given; what it says about a failure may repeat what stands in the file, so it is never passed on.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path, PurePosixPath

from runner import private
from runner.adapters.secrets import document
from runner.digest import Json
from runner.errors import OperatorError, OutsideError

TIMEOUT = 30.0
"""Seconds that sops may take."""
LARGEST = 4 * 1024 * 1024
"""Bytes of the largest encrypted file."""

_NO_KEY = 128
_ALTERED = {25, 51, 52}
"""Exit statuses of sops: none of the keys opens it; a value or the whole does not match its seal."""
_KINDS = {"yml": "yaml", "env": "dotenv"}


class SopsSecrets:
    """Reads secrets from one encrypted file, whose upper level has one entry for each.

    Args:
        path: what it is called in the repository; the ending says its format.
        content: its bytes, None if the protected branch has no such file.
        key: this machine's age key file.
    """

    def __init__(self, path: str, content: bytes | None, *, key: Path) -> None:
        self._path, self._content, self._key = path, content, key
        self._values: dict[str, Json] | None = None

    def resolve(self, name: str) -> str:
        """Return a secret's value.

        Raises:
            OperatorError: if file, key or sops are missing, do not fit, or have no such secret.
            OutsideError: if sops does not come back.
        """
        doing = document.doing(name)
        if self._values is None:
            self._values = self._opened(doing)
        return document.pick(self._values, name, store=self._path)

    def ready(self) -> None:
        """Find the file, the program and this machine's key; whether that key opens the file is not tried.

        Raises:
            OperatorError: if one of them is missing.
        """
        self._keys(f"looking at {self._path}")

    def _opened(self, doing: str) -> dict[str, Json]:
        program, content = self._keys(doing)
        return self._parsed(self._decrypted(program, content, doing=doing), doing=doing)

    def _keys(self, doing: str) -> tuple[str, bytes]:
        """What is needed to open it: the program, and the file's bytes."""
        if self._content is None or len(self._content) > LARGEST:
            wrong = "there is no" if self._content is None else "too large is"
            raise OperatorError(doing, f"{wrong} {self._path} on the protected branch", hint="commit it, or correct it")
        program = _program()
        if program is None:
            raise OperatorError(doing, "sops is not installed here", hint="install sops, and have it on the PATH")
        # By its place in the state folder: what is said here is read on the issue, too.
        place = f"{self._key.parent.name}/{self._key.name}"
        hint = f"put the age key that {self._path} is encrypted to into {place} of the state folder, mode 0600"
        private.read(self._key, doing=doing, absent="this machine has no age key", hint=hint)
        return program, self._content

    def _decrypted(self, program: str, content: bytes, *, doing: str) -> bytes:
        ending = PurePosixPath(self._path).suffix.removeprefix(".")
        command = [program, "decrypt", "--decryption-order", "age", "--output-type", "json"]
        command += ["--input-type", _KINDS.get(ending, ending), "--filename-override", PurePosixPath(self._path).name]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "SOPS_AGE_KEY_FILE": str(self._key)}
        try:
            done = subprocess.run(
                command,
                input=content,
                capture_output=True,
                check=False,
                timeout=TIMEOUT,
                env=environment,
                cwd="/",
            )
        except subprocess.TimeoutExpired:
            raise OutsideError(doing, f"sops did not open {self._path} in {TIMEOUT:.0f} s", hint="try again") from None
        if done.returncode == 0:
            return done.stdout
        raise OperatorError(doing, *_why(done, self._path))

    def _parsed(self, data: bytes, *, doing: str) -> dict[str, Json]:
        try:
            found = json.loads(data)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise OperatorError(doing, f"{self._path} does not hold names with values")
        return found


def _why(done: subprocess.CompletedProcess[bytes], path: str) -> tuple[str]:
    """Say in our words why sops failed; its own may hold a value."""
    if done.returncode == _NO_KEY:
        return (f"this machine's age key does not open {path}",)
    if done.returncode in _ALTERED:
        return (f"{path} was altered after it was encrypted",)
    if b"sops metadata not found" in done.stderr:
        return (f"{path} is not encrypted with sops: take what is in it as leaked",)
    return (f"sops could not read {path} (status {done.returncode})",)


def _program() -> str | None:
    """The program on the PATH, or where Python packages put theirs."""
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), sysconfig.get_path("scripts")))
    return shutil.which("sops", path=places)
