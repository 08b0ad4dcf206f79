"""The one part of the product that cells may import, copied and digested: an empty `runner` with the toolkit in it.

Only these files are put on the kernel's path, so a cell cannot reach the runner's own code by importing it, and the
plan's digest says exactly which toolkit ran.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runner.digest import Digest, canonical, sha256

_PACKAGE = Path(__file__).resolve().parent.parent


def files() -> dict[str, bytes]:
    """Read the toolkit as path below the import folder to bytes, with an empty `runner/__init__.py`."""
    found = {
        path.relative_to(_PACKAGE.parent).as_posix(): path.read_bytes()
        for path in sorted((_PACKAGE / "toolkit").rglob("*"))
        if path.is_file() and path.suffix in {".py", ".json", ".txt"} and "__pycache__" not in path.parts
    }
    return {"runner/__init__.py": b"", **found}


def digest(found: Mapping[str, bytes]) -> Digest:
    """Digest over every path and its bytes' digest."""
    return sha256(canonical({path: sha256(data) for path, data in found.items()}))


def write(found: Mapping[str, bytes], folder: Path) -> None:
    """Write them below a folder, to be read only."""
    for path, data in found.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        target.chmod(0o400)
