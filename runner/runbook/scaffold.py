"""A first notebook for an author: header, typed parameters and one cell of each role, ready to open in Jupyter.

Everything in it can be tried at once and passes lint, so that an author begins from something that works.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from runner.errors import RequestError
from runner.runbook.catalog import NAME
from runner.runbook.spelling import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A cell to be written. `kind` is code, markdown or raw; `id` is stable, for Git's sake."""

    id: str
    kind: str
    source: str
    role: str = ""


def compose(drafts: Iterable[Draft]) -> bytes:
    """Write a notebook (nbformat 4.5, Python) the way Jupyter saves it, without outputs."""
    notebook = {
        "cells": [_cell(draft) for draft in drafts],
        "metadata": {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _cell(draft: Draft) -> dict[str, object]:
    lines = draft.source.strip("\n").splitlines(keepends=True)
    cell: dict[str, object] = {
        "cell_type": draft.kind,
        "id": draft.id,
        "metadata": {"tags": [draft.role]} if draft.role else {},
        "source": lines,
    }
    return cell | ({"execution_count": None, "outputs": []} if draft.kind == "code" else {})


def new(name: str) -> bytes:
    """Write the first version of a runbook.

    Args:
        name: what it will be called; it becomes the path below `runbooks/`.

    Raises:
        RequestError: if the name cannot be a runbook's.
    """
    if not NAME.fullmatch(name) or name.endswith(".ipynb"):
        raise RequestError(
            f"making the runbook {shown(name)}",
            "it is not a name for a runbook",
            hint="Use letters, digits, hyphens and dots, without the ending, such as db/rotate-password.",
        )
    title = name.rsplit("/", 1)[-1].replace("-", " ").replace("_", " ").capitalize()
    return compose(
        (
            Draft(id="header", kind="raw", source=_HEADER.format(title=title, quoted=json.dumps(title))),
            Draft(id="about", kind="markdown", source=_ABOUT.format(title=title)),
            *(Draft(id=role, kind="code", source=source, role=role) for role, source in _CELLS),
        )
    )


_HEADER = """
---
title: {quoted}
owner: "@your-team"
risk: low
target: "{{environment}}/{{name}}"
timeout: 10m
examples: {{name: demo}}
---
"""

_ABOUT = """
# {title}

What this changes, when to use it, and whom to ask. Run it from top to bottom here; `runbook try` shows what a plan
would show, and `runbook lint` what is still missing.
"""

_CELLS = (
    (
        "parameters",
        """
from runner.toolkit import Annotated, Field, Literal

environment: Literal["staging", "production"] = "staging"  # where to act
name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]  # what to act on; required, because it has no default
""",
    ),
    (
        "setup",
        """
import tempfile
from pathlib import Path

from runner.toolkit import check, record, recorded, sh

place = Path(tempfile.gettempdir()) / f"runbook-{environment}-{name}.txt"
""",
    ),
    (
        "read",
        """
before = place.read_text() if place.exists() else None
system = sh(["uname", "-s"]).stdout
""",
    ),
    (
        "plan",
        """
print(f"would {'replace' if before is not None else 'write'} {place}")
""",
    ),
    (
        "change",
        """
#| step: write-file
#| timeout: 30s
record("before", before)
place.write_text(f"changed by the runbook, for {name}\\n")
""",
    ),
    (
        "rollback",
        """
if recorded("before", None) is None:
    place.unlink(missing_ok=True)
else:
    place.write_text(recorded("before"))
""",
    ),
    (
        "verify",
        """
check(place.read_text().endswith(f"for {name}\\n"), f"{place} holds what was asked for")
""",
    ),
    (
        "always",
        """
print(f"done with {environment}/{name}")
""",
    ),
)
