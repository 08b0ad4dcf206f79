"""The runbook itself: the noun that the catalog finds and everything later speaks of."""

from __future__ import annotations

from dataclasses import dataclass

from runner.digest import Digest
from runner.runbook.cells import Cell
from runner.runbook.header import Header
from runner.runbook.parameters import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """A notebook at a commit. `content` is the exact blob; `digest` is its sha256; `language` the kernel's language.

    `kernel` is the kernelspec's name, or `python3` where the notebook names none (`kernel_declared` is False then).
    `lock` is the exact blob of the lock file that the header names; None where it names none, or there is no such file.
    """

    name: str
    path: str
    commit: str
    digest: Digest
    content: bytes
    header: Header
    parameters: Schema
    cells: tuple[Cell, ...]
    language: str = "python"
    kernel: str = "python3"
    kernel_declared: bool = True
    lock: bytes | None = None
