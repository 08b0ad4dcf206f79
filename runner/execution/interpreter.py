"""An interpreter's folders: what has to be readable for a kernel of it to start and to import its packages."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from runner.errors import OutsideError

_PACKAGES = frozenset({"site-packages", "dist-packages"})
_ASK = (
    "import json, sys\n"
    "print(json.dumps([sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, sys.path]))"
)
_TIMEOUT = 60.0


@lru_cache(maxsize=8)
def folders(python: str) -> tuple[str, ...]:
    """Name the installation, the virtual environment, and every folder of packages on its path, wherever it lies.

    Other entries of the path stay outside: they are somebody's sources, which cells have no business with.

    Raises:
        OutsideError: if that interpreter does not run.
    """
    if python == sys.executable:
        *prefixes, path = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, sys.path]
    else:
        try:
            asked = subprocess.run([python, "-I", "-c", _ASK], check=True, capture_output=True, timeout=_TIMEOUT)
            *prefixes, path = json.loads(asked.stdout)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise OutsideError(f"asking {python} for its folders", type(error).__name__) from error
    found = [*map(str, prefixes), *(entry for entry in path if Path(entry).name in _PACKAGES), python]
    return tuple(dict.fromkeys(found))
