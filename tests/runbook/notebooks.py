"""Notebooks for tests, written the way Jupyter saves them: a test names only what it is about."""

from __future__ import annotations

import json
from collections.abc import Sequence

from runner.runbook import reader
from runner.runbook.runbook import Runbook

HEADER = """---
title: Rotate a password
owner: "@dba"
risk: high
target: "{environment}/{database}"
timeout: 20m
---"""

PARAMETERS = """from runner.toolkit import Annotated, Field, Literal

environment: Literal["staging", "production"] = "staging"  # where
database: Annotated[str, Field(pattern=r"^[a-z_]+$")] = "orders"  # which database
"""

SPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}


def code(source: str, *tags: str, cell_id: str = "") -> dict[str, object]:
    """A code cell without outputs."""
    found: dict[str, object] = {
        "cell_type": "code",
        "metadata": {"tags": list(tags)},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
    return found | ({"id": cell_id} if cell_id else {})


def raw(source: str = HEADER) -> dict[str, object]:
    """A raw cell."""
    return {"cell_type": "raw", "metadata": {}, "source": source}


def text(source: str) -> dict[str, object]:
    """A markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def clean() -> list[dict[str, object]]:
    """The cells of a runbook with which lint finds nothing."""
    return [
        raw(),
        code(PARAMETERS, "parameters"),
        code("import os", "setup"),
        code("now = os.listdir('/')", "read"),
        code("print('would change one thing')", "plan"),
        code("#| step: act\nprint('acting')", "change"),
        code("print('undoing')", "rollback"),
        code("assert now", "verify"),
        code("print('done')", "always"),
    ]


def notebook(cells: Sequence[dict[str, object]], *, minor: int = 5, metadata: dict[str, object] | None = None) -> bytes:
    """A notebook of format 4; cells without an id get one by their place."""
    named = [cell if "id" in cell or minor < 5 else cell | {"id": f"c{index}"} for index, cell in enumerate(cells)]
    found = {
        "cells": named,
        "metadata": {"kernelspec": SPEC} if metadata is None else metadata,
        "nbformat": 4,
        "nbformat_minor": minor,
    }
    return json.dumps(found).encode()


def runbook(cells: Sequence[dict[str, object]], *, metadata: dict[str, object] | None = None) -> Runbook:
    """The runbook that these cells are."""
    return reader.read(notebook(cells, metadata=metadata), name="rotate", path="runbooks/rotate.ipynb", commit="c" * 40)
