"""What a notebook's cells may import, in the runner's kernel and in plain Jupyter alike.

This is the one package that re-exports: it is the interface for authors, who should write one import line and never
learn its files. Standard library only, because it runs inside the kernel, whose environment belongs to the runbook's
authors; it knows nothing of Git, forges or the ledger.
"""

from __future__ import annotations

from typing import Annotated, Literal, Optional

from runner.toolkit.artifacts import artifact
from runner.toolkit.checks import CheckFailed, check, wait_until
from runner.toolkit.extension import load_ipython_extension
from runner.toolkit.field import Field
from runner.toolkit.plan_files import keep, kept
from runner.toolkit.proposals import files, present, propose
from runner.toolkit.records import record, recorded
from runner.toolkit.secret import SecretUnavailable, secret
from runner.toolkit.shell import CommandFailed, Result, sh
from runner.toolkit.table import table

__all__ = [
    "Annotated",
    "CheckFailed",
    "CommandFailed",
    "Field",
    "Literal",
    "Optional",
    "Result",
    "SecretUnavailable",
    "artifact",
    "check",
    "files",
    "keep",
    "kept",
    "load_ipython_extension",
    "present",
    "propose",
    "record",
    "recorded",
    "secret",
    "sh",
    "table",
    "wait_until",
]
