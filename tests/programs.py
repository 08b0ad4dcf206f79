"""Programs that Python packages of the test extra bring: found on the PATH, or beside this interpreter's own."""

from __future__ import annotations

import os
import shutil
import sysconfig
from importlib.metadata import PackageNotFoundError, PackagePath, files

import pytest


def program(name: str, *, package: str) -> str:
    """A program's path; where the package is not installed, the test is skipped."""
    places = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)))
    found = shutil.which(name, path=places)
    if found is None:
        inside = [path.locate() for path in _files(package) if path.name == name and "bin" in path.parts]
        found = next((str(path) for path in inside if os.access(str(path), os.X_OK)), None)
    if found is None:
        pytest.skip(f"machine: {name} is not installed; the package {package} brings it")
    return found


def _files(package: str) -> list[PackagePath]:
    try:
        return list(files(package) or [])
    except PackageNotFoundError:
        return []
