"""I17, I23, I24: what only somebody outside can say."""

from __future__ import annotations

from collections.abc import Iterator

from runner.audit.book import Seen
from runner.audit.checks.check import Check, Context
from runner.audit.finding import Violation
from runner.digest import SHORT
from runner.ledger.event import path


class Witnessed(Check):
    """Nothing was cut off at the end, and nobody is shown another history."""

    number = "I17"
    title = "every head that was seen outside is in the record"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._waiting = dict(context.witness)
        if context.genesis:
            self._waiting.setdefault(0, context.genesis)

    def not_checked(self) -> str:
        """Nobody outside has said anything."""
        if self._waiting or self.context.witness or self.context.genesis:
            return ""
        return "nothing from outside was given; use --witness FILE (lines `number digest`) or --genesis DIGEST"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) the digest at a witnessed number is the witnessed one; the pinned genesis is the first of them."""
        digest = self._waiting.pop(seen.number, None) if seen.file else None
        if seen.file and digest is not None and not _same(digest, seen.file.sha256):
            yield self.broken(seen, f"outside it was seen as {digest[:SHORT]}; here it is {seen.file.sha256[:SHORT]}")
        pinned = self.context.genesis
        if seen.file and seen.number == 0 and pinned and not _same(pinned, seen.file.sha256) and digest != pinned:
            yield self.broken(seen, f"the pinned genesis is {pinned[:SHORT]}; this is {seen.file.sha256[:SHORT]}")

    def end(self) -> Iterator[Violation]:
        """(2) every witnessed number is there."""
        for number, digest in sorted(self._waiting.items()):
            yield Violation(
                invariant=self.number,
                file=path(number),
                wrong=f"outside it was seen as {digest[:SHORT]}; here the record ends at {self.context.book.number}",
                event=number,
            )


class Comments(Check):
    """What the forge shows is what is on record."""

    number = "I23"
    title = "each comment of the runner belongs to one event, and back"

    def not_checked(self) -> str:
        """A clone has no forge."""
        return "only the forge can tell; this verification is offline"


class Expunged(Check):
    """Removing a file for good takes a signed note by two people."""

    number = "I24"
    title = "expunged files have a signed note with a reason and two people"

    def not_checked(self) -> str:
        """Nothing can be expunged yet, so a missing file is a violation of I6 or I16."""
        return "nothing may be expunged yet: a file that is gone is a violation of I6 or I16"


def _same(given: str, digest: str) -> bool:
    """Whether a digest as a person keeps it is this one; it may be cut, but not below 12 digits."""
    return len(given) >= SHORT and digest.startswith(given)
