"""Where the shipped runbooks are: inside the installed package, or beside it in a source checkout."""

from __future__ import annotations

from pathlib import Path

import runner
from runner.errors import OperatorError


def runbooks() -> Path:
    """The folder of the shipped runbooks.

    Raises:
        OperatorError: if the installation is incomplete.
    """
    package = Path(runner.__file__).parent
    for folder in (package / "shipped" / "runbooks", package.parent / "runbooks"):
        if (folder / "rotate-certificate.ipynb").is_file():
            return folder
    hint = "install runbook-runner again"
    raise OperatorError("looking for the shipped runbooks", "they are not where they should be", hint=hint)
