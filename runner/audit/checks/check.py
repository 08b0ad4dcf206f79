"""What a check is: it has a number, sees every page in order, says what does not hold, and stops nobody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from runner.audit.book import Book, Seen
from runner.audit.code import Code
from runner.audit.finding import Violation
from runner.audit.signatures import Signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What checks may ask. `code` is None where the source has no code branch; `commits` is False for a folder.

    `witness` maps event numbers to the digests that somebody outside has written down; `genesis` is a digest held from
    outside, or None.
    """

    book: Book
    code: Code | None
    commits: bool
    signatures: Signatures
    witness: Mapping[int, str]
    genesis: str | None
    deep: bool
    now: datetime


class Check:
    """A numbered invariant. Subclasses give number and title and override what they need."""

    number: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, context: Context) -> None:
        self.context = context

    def not_checked(self) -> str:
        """Why this cannot be checked on this source; empty if it can."""
        return ""

    def see(self, seen: Seen) -> Iterator[Violation]:
        """Look at one page."""
        del seen
        return iter(())

    def end(self) -> Iterator[Violation]:
        """Look back after the last page."""
        return iter(())

    def broken(self, seen: Seen, wrong: str, *, file: str = "", cell: str | None = None) -> Violation:
        """A violation on this page."""
        return Violation(
            invariant=self.number,
            file=file or seen.path,
            wrong=wrong,
            cell=cell,
            run=seen.event.run if seen.event else None,
            event=seen.number,
            commit=seen.page.oid,
        )
