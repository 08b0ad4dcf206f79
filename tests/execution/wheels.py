"""Wheels for tests without a network: made by hand, or made again of what is installed here."""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distribution, requires
from pathlib import Path

import pytest

from runner.runbook.environment import normal


def made(
    folder: Path, name: str, version: str, *, needs: Iterable[str] = (), more: Mapping[str, str] | None = None
) -> Path:
    """A wheel of one module that knows its own version."""
    info = f"{name}-{version}.dist-info"
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {one}" for one in needs),
    ]
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **(more or {}),
    }
    return _write(
        folder / f"{name}-{version}-py3-none-any.whl", info, {key: text.encode() for key, text in files.items()}
    )


def kernel(folder: Path) -> list[str]:
    """Wheels of ipykernel and all that it needs, as they are installed here; returns the lines of their lock."""
    return sorted(_again(folder, distribution(name)) for name in sorted(_needed("ipykernel")))


def _needed(name: str) -> set[str]:
    """A package and what it needs, without extras and without what other systems need."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = normal(waiting.pop())
        if one in found or not _is_here(one):
            continue
        found.add(one)
        waiting += [
            re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0] for line in requires(one) or () if "extra ==" not in line
        ]
    return found


def _is_here(name: str) -> bool:
    try:
        distribution(name)
    except ModuleNotFoundError:
        return False
    return True


def _again(folder: Path, found: Distribution) -> str:
    """Make a wheel of an installed package; returns its line in a lock."""
    contents = dict(_contents(found))
    info = next(path.split("/")[0] for path in contents if path.endswith(".dist-info/METADATA"))
    tags = [
        line.removeprefix("Tag: ")
        for line in contents[f"{info}/WHEEL"].decode().splitlines()
        if line.startswith("Tag: ")
    ]
    _write(folder / f"{info.removesuffix('.dist-info')}-{tags[-1]}.whl", info, contents)
    return f"{normal(found.name)}=={found.version}"


def _contents(found: Distribution) -> Iterator[tuple[str, bytes]]:
    for path in found.files or ():
        name = path.as_posix()
        mine = name.endswith(("/RECORD", "/INSTALLER", "/REQUESTED", "/direct_url.json")) or "__pycache__" in name
        if not mine and not name.startswith(("..", "/")):
            yield name, Path(str(path.locate())).read_bytes()


def _write(wheel: Path, info: str, files: Mapping[str, bytes]) -> Path:
    record = "".join(f"{name},sha256={_hash(data)},{len(data)}\n" for name, data in files.items())
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
        for name, data in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()}.items():
            archive.writestr(name, data)
    return wheel


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def hashed(wheel: Path) -> str:
    """The words that pin a wheel's bytes in a lock."""
    return f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let installers see the wheels of one folder and nothing else."""
    for name, value in offline(folder).items():
        monkeypatch.setenv(name, value)


def offline(folder: Path) -> dict[str, str]:
    """The variables that do so."""
    found = {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(folder), "UV_NO_CONFIG": "1"}
    return found | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": "/dev/null"}
