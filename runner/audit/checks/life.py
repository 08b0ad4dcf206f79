"""I8, I9, I14, I20: a run's life. Legal moves, one plan, closed starts, locks that nobody shared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from runner.approval.merging import in_review
from runner.audit.book import Seen, Told, likeness
from runner.audit.checks.check import Check
from runner.audit.finding import Violation
from runner.digest import SHORT
from runner.evidence import layout
from runner.execution.outcome import began, done_before
from runner.execution.record import FORWARD
from runner.ledger.bodies import Body, Plan, Question, Resolve, Said, Start
from runner.ledger.event import from_iso, path
from runner.plan.plan import HUSHED
from runner.plan.run import Run, RunState

GRACE = timedelta(hours=1)
"""How long after its plan's own time limit a start may stay open before that is a violation."""


class Moves(Check):
    """Nothing ran twice, and no result was made up."""

    number = "I8"
    title = "per run: a plan, approvals, and once per attempt a start that one finish or interrupt closes"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) each event may come where it does, (2) each request led to one plan, (3) attempts count up."""
        if seen.illegal and seen.event:
            yield self.broken(seen, f"{seen.event.type}: {seen.illegal}")
        if seen.event is None:
            return
        body = seen.event.body
        if isinstance(body, Plan) and self.context.book.planned_before(body.request_key):
            yield self.broken(seen, f"request {body.request_key} was planned before")
        if isinstance(body, Start) and seen.before and body.attempt != seen.before.run.next_attempt:
            yield self.broken(seen, f"it starts attempt {body.attempt}; the next one is {seen.before.run.next_attempt}")


class Repeated(Check):
    """What an attempt did and nobody undid is not done again, and what is said to be done was."""

    number = "I25"
    title = "no attempt repeats a change that is in place, or leaves one out that nobody made"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) it is known what earlier attempts left, (2) none of it ran again, (3) nothing else was left out."""
        if seen.end is None or seen.manifest is None or seen.told is None:
            return
        earlier, file = seen.told.earlier, seen.manifest_file.path if seen.manifest_file else ""
        for doubt in earlier.doubts:
            yield self.broken(seen, f"attempt {seen.attempt} goes on from what nobody knows: {doubt}", file=file)
        for cell in seen.manifest.result.cells:
            if cell.phase != FORWARD:
                continue
            if cell.id in earlier.done and began(cell):
                wrong = f"it ran again, and attempt {earlier.done[cell.id]} was answered ok for it"
                yield self.broken(seen, wrong, file=file, cell=cell.id)
            if cell.id not in earlier.done and done_before(cell):
                wrong = f"it was left out ({cell.why}), and no earlier attempt was answered ok for it"
                yield self.broken(seen, wrong, file=file, cell=cell.id)


class OnePlan(Check):
    """What was approved is what is stored, and what was started."""

    number = "I9"
    title = "the plan digest of every event is that of plan.json in the run's folder"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) the plan event against the bytes, (2) against their content, (3) every later event against it."""
        if seen.event is None or seen.event.run is None:
            return
        body, told = seen.event.body, seen.told
        if isinstance(body, Plan) and seen.after:
            yield from self._plan(seen, body, seen.after)
            if seen.after.plan and seen.after.plan.requested.confidential:
                yield from self._hushed(seen, body)
            return
        if told and told.plan and told.plan.requested.confidential:
            yield from self._hushed(seen, body)
        digest = getattr(body, "plan_digest", None)
        if digest and told and told.plan_sha256 and digest != told.plan_sha256:
            wrong = f"it is for plan {digest[:SHORT]}; plan.json is {told.plan_sha256[:SHORT]}"
            yield self.broken(seen, wrong, file=layout.plan_file(told.run.id))

    def _hushed(self, seen: Seen, body: Body) -> Iterator[Violation]:
        """What people say about a run of a confidential issue stays there."""
        said = getattr(body, "said", None)
        if not isinstance(said, Said) or in_review(said.comment):  # those words are the runner's own
            return
        if said.payload or getattr(body, "reason", "") not in {"", HUSHED}:
            yield self.broken(seen, f"it repeats what {said.by} said on a confidential issue")

    def _plan(self, seen: Seen, body: Plan, told: Told) -> Iterator[Violation]:
        file, plan = layout.plan_file(told.run.id), told.plan
        if told.plan_sha256 is None:
            yield self.broken(seen, "plan.json is not there", file=file)
        elif told.plan_sha256 != body.plan_digest:
            wrong = f"its sha256 is {told.plan_sha256[:SHORT]}, the event says {body.plan_digest[:SHORT]}"
            yield self.broken(seen, wrong, file=file)
        if plan is None:
            return
        yield from self._beside(seen, told)
        if bool(plan.emergency) != bool(plan.owes_by):
            yield self.broken(seen, "an emergency, and nothing else, says when its approvals are due", file=file)
        pairs = {
            "run": (plan.run, told.run.id),
            "request": (plan.requested.key, body.request_key),
            "requester": (plan.requested.by, body.said.by),
            "requester's account": (plan.requested.account, body.said.account),
            # Nobody asked for it in an issue; the one that tells of it came later.
            "issue": (plan.requested.issue, "" if body.break_glass else body.issue),
            "break-glass": (bool(plan.break_glass), body.break_glass),
            "runbook": (plan.runbook.name, body.runbook),
            "runbook commit": (plan.runbook.commit, body.runbook_commit),
            "risk": (plan.risk, body.risk),
            "locks": (plan.locks, body.locks),
            "policy commit": (plan.policy_commit, body.policy_commit),
            "expiry": (plan.expires_at, body.expires),
            "rehearsal": (plan.rehearsal.result, body.rehearsal),
            "nonce": (plan.nonce, body.nonce),
            "what is owed by": (plan.owes_by, body.owes_by),
            "revert of": (plan.revert_of, body.revert_of),
        }
        if plan.revert_of and plan.undoes:
            found, expected = self.context.book.undoable.get(plan.revert_of), likeness(plan, plan.undoes)
            pairs["run that is undone"] = (expected.hex(), found.hex() if found else "none with changes in place")
        for what, (stored, signed) in pairs.items():
            if stored != signed:
                yield self.broken(seen, f"{what}: the plan has {stored}, the event {signed}", file=file)

    def _beside(self, seen: Seen, told: Told) -> Iterator[Violation]:
        """The files beside the plan are those that it names by digest."""
        plan = told.plan
        if plan is None:
            return
        request = seen.stored(layout.request_file(told.run.id))
        rehearsal = seen.stored(layout.rehearsal_file(told.run.id))
        if plan.requested.confidential:
            if request:
                yield self.broken(seen, "the words of a confidential issue are on record", file=request.path)
        elif request is None:
            wrong = "the words that the plan was made from are not there"
            yield self.broken(seen, wrong, file=layout.request_file(told.run.id))
        elif request.sha256 != plan.requested.text_sha256:
            yield self.broken(seen, "these are not the words that the plan was made from", file=request.path)
        if (rehearsal.sha256 if rehearsal else None) != plan.rehearsal.notebook:
            yield self.broken(seen, "it is not the rehearsal of the plan", file=layout.rehearsal_file(told.run.id))


class Closed(Check):
    """No result was hidden."""

    number = "I14"
    title = "every start is closed in time; open ones are listed"

    def end(self) -> Iterator[Violation]:
        """A start may be open as long as its plan allows, and an hour."""
        for told in self.context.book.open.values():
            start = told.run.start
            if told.run.state is not RunState.STARTED or start is None:
                continue
            limit = timedelta(seconds=told.plan.timeout if told.plan else 0) + _asked(told.run) + GRACE
            age = self.context.now - start.when
            if age > limit:
                yield Violation(
                    invariant=self.number,
                    file=path(start.seq),
                    wrong=f"the start has been open for {_words(age)}; its plan allows {_words(limit - GRACE)}",
                    run=told.run.id,
                    event=start.seq,
                )


class Locks(Check):
    """Nothing was changed by two runs at once."""

    number = "I20"
    title = "no two open starts ever shared a lock"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) locks are free when they are taken, (2) they are the plan's, (3) only interrupts are resolved."""
        body = seen.event.body if seen.event else None
        if isinstance(body, Start):
            for lock in body.locks:
                if lock in seen.holders:
                    yield self.broken(seen, f"lock {lock} was held by start {seen.holders[lock]}")
            needed = () if body.after or seen.told is None else seen.told.run.plan.locks
            if seen.told and body.locks != needed:
                yield self.broken(seen, f"it takes {body.locks}, its plan needs {needed}")
        if isinstance(body, Resolve) and body.interrupt not in self.context.book.interrupts:
            yield self.broken(seen, f"event {body.interrupt} is no open interrupt")


def _asked(run: Run) -> timedelta:
    """How long an attempt may have waited for answers: that is not counted in its plan's own limit."""
    asked = ((event.when, event.body) for event in run.questions)
    return sum((from_iso(body.until) - when for when, body in asked if isinstance(body, Question)), timedelta())


def _words(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    if minutes < 120:  # noqa: PLR2004 - two hours
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2 * 24 * 60 else f"{minutes // (24 * 60)} days"
