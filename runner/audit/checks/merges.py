"""I28: what was proposed for review is what was merged, before anything ran that waited for it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from runner.approval.merging import place
from runner.audit.book import Seen, Told
from runner.audit.checks.check import Check
from runner.audit.checks.reviewed import NO_CODE
from runner.audit.code import Code
from runner.audit.finding import Violation
from runner.digest import SHORT, sha256
from runner.errors import RequestError
from runner.evidence import layout
from runner.ledger.bodies import Approve, Plan, Start
from runner.ledger.merged import Merged
from runner.plan import proposal
from runner.plan.plan import Plan as StoredPlan
from runner.plan.plan import Proposal
from runner.toolkit import paths


class MergedFirst(Check):
    """A change to files in Git was merged as it was planned, and only then did its run start."""

    number = "I28"
    title = "what a plan proposes is on the code branch, byte for byte, by the merge that its start names"

    def not_checked(self) -> str:
        """Without the code branch there is nothing to compare with."""
        return "" if self.context.code else NO_CODE

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) the plan names what may be proposed, and its bytes, (2) a start names the merge, (3) which holds them."""
        code, body = self.context.code, seen.event.body if seen.event else None
        if code is None:
            return
        if isinstance(body, Plan) and seen.after and seen.after.plan:
            yield from self._planned(seen, seen.after.plan, code)
        yield from self._told(seen)
        if not isinstance(body, Start) or seen.before is None or seen.before.plan is None or body.after:
            return
        made, merged = seen.before.plan.proposal, body.merged
        if (made is None) != (merged is None):
            yield self.broken(seen, "its plan proposes a change and it names no merge, or the other way round")
        elif made and merged:
            yield from self._merged(seen, made, merged, code=code)
            yield from self._said(seen, seen.before, merged, code=code)

    def _told(self, seen: Seen) -> Iterator[Violation]:
        """The manifest tells of the same merge as the start."""
        start = seen.told.run.start.body if seen.end and seen.told and seen.told.run.start else None
        if isinstance(start, Start) and seen.manifest and seen.manifest.merged != start.merged:
            yield self.broken(
                seen,
                "the manifest tells of another merge than the start",
                file=seen.manifest_file.path if seen.manifest_file else "",
            )

    def _planned(self, seen: Seen, plan: StoredPlan, code: Code) -> Iterator[Violation]:
        made, stored = plan.proposal, seen.stored(layout.proposal_file(plan.run))
        if made is None:
            if stored is not None:
                yield self.broken(seen, "its plan proposes nothing", file=stored.path)
            return
        if not code.reviewed(made.base):
            yield self.broken(seen, f"it is made on {made.base[:SHORT]}, which is not on the code branch")
        try:
            found = proposal.read(stored.data or b"") if stored else {}
        except RequestError:
            found = {}
        digests = {path: None if data is None else sha256(data) for path, data in found.items()}
        if digests != {one.path: one.after for one in made.files}:
            yield self.broken(seen, "it is not what the plan proposes", file=layout.proposal_file(plan.run))
        for one in made.files:
            if paths.fault(one.path) or not any(paths.matches(glob, one.path) for glob in plan.proposes):
                yield self.broken(seen, f"{one.path!a} may not be proposed")
            if code.sha256(made.base, one.path) != one.before:
                yield self.broken(seen, f"before it, {one.path} was another file than the plan says")

    def _merged(self, seen: Seen, made: Proposal, merged: Merged, *, code: Code) -> Iterator[Violation]:
        where = f"the merged commit {merged.commit[:SHORT]}"
        if not code.reviewed(merged.commit):
            yield self.broken(seen, f"{where} is not on the code branch")
            return
        for one in made.files:
            if code.sha256(merged.commit, one.path) != one.after:
                yield self.broken(seen, f"{where} does not hold what was planned", file=one.path)
        changed, planned = code.changed(merged.commit), {one.path for one in made.files}
        if changed != planned:
            others = ", ".join(sorted(changed ^ planned)[:5])
            yield self.broken(seen, f"{where} is not exactly the planned change: {others}")

    def _said(self, seen: Seen, told: Told, merged: Merged, *, code: Code) -> Iterator[Violation]:
        """Whose yes is used said it in that review, or in words about a later attempt; a signature is the merge's."""
        body = seen.event.body if seen.event else None
        for event in told.approvals(body.approvals) if isinstance(body, Start) else ():
            if not isinstance(event.body, Approve) or (told.run.resumed and event.seq > told.run.resumed.seq):
                continue
            said = event.body.said
            people = {*merged.approved_by, merged.by}
            if said.comment != place(merged.review, said.by) or said.by not in people:
                yield self.broken(seen, f"approval {event.seq} was not given in the review {merged.review}")
            elif said.signature and _bytes(said.payload) != code.payload(merged.commit):
                yield self.broken(seen, f"what {said.by} signed (event {event.seq}) is not the merge")


def _bytes(text: str | None) -> bytes:
    try:
        return base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError):
        return b""
