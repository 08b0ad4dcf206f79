"""I6, I15, I16: the files. Every named one is there, nothing else is, and history only ever added."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.audit.book import Seen
from runner.audit.checks.check import Check
from runner.audit.finding import Violation
from runner.audit.page import inside
from runner.audit.signatures import Job
from runner.digest import SHORT, sha256
from runner.evidence import layout
from runner.ledger.bodies import Finish, Genesis, Interrupt, Key, Late, Plan, Witness
from runner.ledger.event import ROOT, Event

ADDERS = (Plan, Finish, Late, Witness)
"""Events that come with files."""
_CHECKPOINT = re.compile(r"outputs/checkpoints/[0-9]{8}\.txt")


class Named(Check):
    """What an event names is there, with that digest."""

    number = "I6"
    title = "every file that an event names is there with that digest"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) files that come with the event, (2) the plan or key that it speaks of, (3) changed later."""
        event = seen.event
        if event and event.run and _adds(seen, event):
            yield from self._files(seen, event)
        elif event:
            yield from self._about(seen, event)
        for change in seen.page.changes:
            if change.status != "A" and change.path.startswith(layout.RUNS):
                yield self.broken(seen, f"it no longer is what was sealed ({change.status})", file=change.path)

    def _files(self, seen: Seen, event: Event) -> Iterator[Violation]:
        stored = {inside(one.path): one.sha256 for one in seen.page.files}
        for name, digest in event.subject:
            if name not in stored:
                yield self.broken(seen, "the event names it, and it is not there", file=f"{ROOT}{name}")
            elif stored[name] != digest:
                wrong = f"its sha256 is {stored[name][:SHORT]}, the event names {digest[:SHORT]}"
                yield self.broken(seen, wrong, file=f"{ROOT}{name}")

    def _about(self, seen: Seen, event: Event) -> Iterator[Violation]:
        told = seen.told
        if isinstance(event.body, Genesis | Key):
            expected = {sha256(event.body.key.encode())}
        elif told:
            expected = {told.run.digest}
        else:
            return
        for name, digest in event.subject:
            if digest not in expected:
                yield self.broken(seen, f"it speaks of {name} with {digest[:SHORT]}, which is not what it is about")


def _adds(seen: Seen, event: Event) -> bool:
    """Whether an event comes with files; an interrupt does where a lost worker's transcript was found."""
    return isinstance(event.body, ADDERS) or (isinstance(event.body, Interrupt) and bool(seen.page.others))


class Planted(Check):
    """Nothing lies among the evidence that no event added."""

    number = "I15"
    title = "every file under outputs/runs belongs to exactly one event"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) added without being named, (2) named by an event of another run."""
        event = seen.event
        named = dict(event.subject) if event and _adds(seen, event) else {}
        for file in seen.page.others:
            if inside(file.path) not in named:
                yield self.broken(seen, "no event names it", file=file.path)
            elif not self._own(event, file.path):
                yield self.broken(seen, "the event that names it is about another run", file=file.path)

    def _own(self, event: Event | None, path: str) -> bool:
        if event is None:
            return False
        if isinstance(event.body, Witness):
            return _CHECKPOINT.fullmatch(path) is not None
        return event.run is not None and path.startswith(layout.run_folder(event.run))


class Added(Check):
    """The branch only ever grew, one signed commit for each event."""

    number = "I16"
    title = "the branch's history only adds: one signed commit for each event, no merges"

    def not_checked(self) -> str:
        """A folder has no history."""
        return "" if self.context.commits else "a folder has no commits; verify the clone or a bundle of it"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) no merge, (2) one event, (3) nothing changed or removed, (4) only plain files, (5) signed."""
        commit = seen.page.commit
        if commit is None:
            return
        if len(commit.parents) > 1:
            yield self.broken(seen, "the commit is a merge")
        if len(seen.page.envelopes) != 1:
            yield self.broken(seen, f"the commit adds {len(seen.page.envelopes)} events, expected one")
        for change in seen.page.changes:
            if change.status != "A":
                yield self.broken(seen, f"the commit does not add it ({change.status})", file=change.path)
            elif change.mode != 0o100644:  # noqa: PLR2004 - Git's plain file
                yield self.broken(seen, f"it is not a plain file (mode {change.mode:o})", file=change.path)
            elif not change.path.startswith(ROOT):
                yield self.broken(seen, "it lies outside the evidence", file=change.path)
        if commit.signature is None:
            yield self.broken(seen, "the commit is not signed")
        else:
            job = Job(commit.signed_payload, (commit.signature.encode(),), tuple(seen.keys), "git")
            wrong = f"no key that is trusted at number {seen.number} signed the commit"
            self.context.signatures.ask(job, otherwise=self.broken(seen, wrong))
