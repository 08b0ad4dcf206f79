"""I1 to I5: the chain itself. Numbers, formats, signatures, links, times."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import timedelta

from runner.audit.book import Seen
from runner.audit.checks.check import Check
from runner.audit.finding import Violation
from runner.audit.signatures import Job
from runner.digest import SHORT, sha256
from runner.evidence import layout
from runner.ledger.bodies import Genesis, Plan
from runner.ledger.chain import SKEW
from runner.ledger.envelope import pae
from runner.ledger.event import from_iso, path

ROUNDING = timedelta(seconds=1)
"""Git keeps whole seconds."""


class Numbers(Check):
    """Nothing was taken out of the middle."""

    number = "I1"
    title = "events are numbered 0..n without gaps"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) the file's number is the next one, (2) and so is the number inside the signature."""
        if seen.file is None:
            return
        if seen.number != seen.expected:
            yield self.broken(seen, f"event {seen.expected} is missing: this is number {seen.number}")
        if seen.file.path != path(seen.number):
            yield self.broken(seen, f"the file of event {seen.number} must be {path(seen.number)}")
        if seen.event and seen.event.seq != seen.number:
            yield self.broken(seen, f"the signed number is {seen.event.seq}, the file's is {seen.number}")


class Formats(Check):
    """Nothing rides along that no reader looks at."""

    number = "I2"
    title = "every event, plan and manifest fits its format; unknown fields are refused"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) the event, (2) the plan, (3) the manifest, each read strictly."""
        if seen.file and seen.event is None:
            yield self.broken(seen, seen.fault)
        if seen.event and isinstance(seen.event.body, Plan) and seen.after and seen.after.plan is None:
            yield self.broken(seen, "plan.json cannot be read", file=layout.plan_file(seen.after.run.id))
        if seen.manifest_file and seen.manifest is None:
            yield self.broken(seen, seen.manifest_fault, file=seen.manifest_file.path)


class Signed(Check):
    """Only keys that were trusted at that number speak."""

    number = "I3"
    title = "every event is signed by a key that was trusted at its number"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) a signature is there, (2) one by a trusted key holds over exactly the bytes that were read."""
        if seen.envelope is None:
            return
        try:
            signatures = tuple(base64.b64decode(one.sig, validate=True) for one in seen.envelope.signatures)
        except (binascii.Error, ValueError):
            signatures = ()
        named = {one.keyid for one in seen.envelope.signatures}
        # The key id is only a hint: it says which key to try first.
        keys = tuple(sorted(seen.keys, key=lambda key: sha256(key.encode()) not in named))
        job = Job(pae(seen.payload, seen.envelope.payload_type), signatures, keys, "")
        wrong = f"no key that is trusted at number {seen.number} signed it (trusted: {len(keys)})"
        self.context.signatures.ask(job, otherwise=self.broken(seen, wrong))
        return
        yield


class Links(Check):
    """Each event names the digest of the one before; the first names the project, once."""

    number = "I4"
    title = "each event names the digest of the event before it"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) the link, (2) genesis first and once, (3) plans of this project only."""
        event = seen.event
        if event is None:
            return
        if event.prev != seen.prev:
            wrong = f"it names {event.prev[:SHORT]} as the event before; that is {seen.prev[:SHORT]}"
            yield self.broken(seen, wrong)
        if isinstance(event.body, Genesis) != (self.context.book.count == 0):
            yield self.broken(seen, "a ledger begins with genesis, once")
        plan, genesis = seen.after.plan if seen.after else None, self.context.book.genesis
        if isinstance(event.body, Plan) and plan and genesis and plan.project != genesis.project:
            yield self.broken(seen, f"the plan is of project {plan.project}, the ledger of {genesis.project}")


class Times(Check):
    """Nothing is dated back."""

    number = "I5"
    title = "times never go back, and nothing is older than what it names"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) not before the event before, (2) its commit says the same, (3) not before the plan or its runbook."""
        event = seen.event
        if event is None:
            return
        when = event.when
        if seen.last_time and when < from_iso(seen.last_time):
            yield self.broken(seen, f"it is dated {event.time}, the event before {seen.last_time}")
        commit = seen.page.commit
        if commit and abs(when.timestamp() - commit.committed) > (SKEW + ROUNDING).total_seconds():
            yield self.broken(
                seen, f"it is dated {event.time}, its commit {commit.committed - when.timestamp():+.0f} s away"
            )
        if isinstance(event.body, Plan):
            yield from self._plan(seen, event.body, when.timestamp())

    def _plan(self, seen: Seen, body: Plan, when: float) -> Iterator[Violation]:
        slack = SKEW.total_seconds()
        plan, code = seen.after.plan if seen.after else None, self.context.code
        if plan and from_iso(plan.made_at).timestamp() > when + slack:
            yield self.broken(seen, f"its plan was made later, at {plan.made_at}")
        named = code.committed(body.runbook_commit) if code else None
        if named is not None and named > when + slack:
            yield self.broken(seen, f"its runbook was committed {named - when:.0f} s later")
