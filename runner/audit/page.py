"""A page: what one step of the evidence's history adds, whether it is read from Git or from a plain folder."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runner.digest import Digest
from runner.ledger.event import ROOT
from runner.repository.objects import CommitObject

ENVELOPE = re.compile(r"outputs/ledger/([0-9]{5})/([0-9]{8})\.dsse\.json")
KEEP = 64 * 1024 * 1024
"""Bytes; a larger file is hashed and not read into memory as a whole by any check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file with its content. `data` is None only for what is not a regular file."""

    path: str
    sha256: Digest
    data: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a commit did to a path: `status` is Git's letter, A for added."""

    status: str
    path: str
    mode: int
    oid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One step. `commit` and `changes` are None and empty for a plain folder; `files` are those that it adds."""

    commit: CommitObject | None
    changes: tuple[Change, ...]
    files: tuple[File, ...]

    @property
    def envelopes(self) -> tuple[File, ...]:
        """Ledger events among the files."""
        return tuple(one for one in self.files if ENVELOPE.fullmatch(one.path))

    @property
    def others(self) -> tuple[File, ...]:
        """Everything else."""
        return tuple(one for one in self.files if not ENVELOPE.fullmatch(one.path))

    @property
    def oid(self) -> str | None:
        """The commit's id."""
        return self.commit.oid if self.commit else None


def number_of(path: str) -> int | None:
    """The event number that a path stands for, or None."""
    match = ENVELOPE.fullmatch(path)
    return int(match[2]) if match and int(match[2]) // 1000 == int(match[1]) else None


def inside(path: str) -> str:
    """A path as statements name it, relative to the evidence root."""
    return path.removeprefix(ROOT)
