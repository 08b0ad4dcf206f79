"""I18: nothing in history looks like a secret. Over all of history this is slow, so it is asked for by name."""

from __future__ import annotations

from collections.abc import Iterator

from runner.audit.book import Seen
from runner.audit.checks.check import Check
from runner.audit.finding import Violation
from runner.runbook import leaks

LARGEST = 16 * 1024 * 1024
"""Characters that are searched of one file."""


class NoSecrets(Check):
    """A secret that was removed in a later commit is still there."""

    number = "I18"
    title = "no file in history holds what looks like a secret"

    def not_checked(self) -> str:
        """It reads every byte of history."""
        return "" if self.context.deep else "it searches every byte of history; ask for it with --deep"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) every file of every page, (2) the signed words themselves."""
        if not self.context.deep:
            return
        for file in seen.page.others:
            text = (file.data or b"")[:LARGEST].decode(errors="replace")
            for rule in sorted({leak.rule for leak in leaks.in_output(text)}):
                yield self.broken(seen, f"it holds what looks like a secret ({rule})", file=file.path)
        for rule in sorted({leak.rule for leak in leaks.in_output(seen.payload.decode(errors="replace"))}):
            yield self.broken(seen, f"it holds what looks like a secret ({rule})")
