"""I7, I12, I13, I22: what ran is what was reviewed. Runbook, cells, injected values, policy."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from runner.approval import policy as policy_file
from runner.audit.book import Seen
from runner.audit.checks.check import Check, Context
from runner.audit.code import SIGNERS
from runner.audit.finding import Violation
from runner.audit.notebook import Cell, cells, is_injected, is_ours
from runner.digest import SHORT
from runner.errors import RequestError
from runner.ledger.bodies import Answer, Plan, Start
from runner.plan.plan import Environment, Source
from runner.plan.plan import Plan as StoredPlan
from runner.runbook import literals
from runner.runbook.cells import Role

NO_CODE = "the source has no code branch; verify a clone that has one"
PARAMETERS = Role.PARAMETERS.value


class Reviewed(Check):
    """Only reviewed runbooks run."""

    number = "I7"
    title = "the runbook's commit is on the code branch, and its bytes and its lock file's are those of the plan"

    def not_checked(self) -> str:
        """Without the code branch there is nothing to compare with."""
        return "" if self.context.code else NO_CODE

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) on the branch, unless the plan says unreviewed (I10 asks policy), (2) the same bytes, (3) of both."""
        code, plan = self.context.code, _planned(seen)
        if code is None or plan is None:
            return
        source = plan.runbook
        if not plan.unreviewed and not code.reviewed(source.commit):
            yield self.broken(seen, f"commit {source.commit[:SHORT]} is not on the code branch", file=source.path)
        yield from self._same(seen, code.sha256(source.commit, source.path), of=source, commit=source.commit)
        lock = plan.environment
        if lock is not None:
            yield from self._same(seen, code.sha256(source.commit, lock.path), of=lock, commit=source.commit)

    def _same(self, seen: Seen, found: str | None, *, of: Source | Environment, commit: str) -> Iterator[Violation]:
        where = commit[:SHORT]
        if found is None:
            yield self.broken(seen, f"commit {where} does not have it", file=of.path)
        elif found != of.sha256:
            wrong = f"its sha256 at {where} is {found[:SHORT]}, the plan has {of.sha256[:SHORT]}"
            yield self.broken(seen, wrong, file=of.path)


class SameCells(Check):
    """No code was changed between review and run."""

    number = "I12"
    title = "the executed notebook without the cells that the runner put in is the reviewed one, cell by cell"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._kept: OrderedDict[tuple[str, str], tuple[Cell, ...] | None] = OrderedDict()

    def not_checked(self) -> str:
        """Without the code branch there is nothing to compare with."""
        return "" if self.context.code else NO_CODE

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) there is one, (2) as many cells, (3) each with the same id, kind and source."""
        plan = seen.told.plan if seen.end and seen.told else None
        if plan is None:
            return
        if seen.executed is None or seen.executed.data is None:
            yield self.broken(seen, "the attempt has no executed notebook")
            return
        reviewed = self._reviewed(plan)
        if reviewed is None:
            return
        executed = cells(seen.executed.data)
        if executed is None:
            yield self.broken(seen, "it is not a notebook", file=seen.executed.path)
            return
        ran = [cell for cell in executed if not is_ours(cell)]
        if len(ran) != len(reviewed):
            wrong = f"it has {len(ran)} cells, the reviewed runbook {len(reviewed)}"
            yield self.broken(seen, wrong, file=seen.executed.path)
        for before, after in zip(reviewed, ran, strict=False):
            if (before.id, before.kind, before.source) != (after.id, after.kind, after.source):
                wrong = f"it is not the reviewed cell {before.id} at {plan.runbook.commit[:SHORT]}"
                yield self.broken(seen, wrong, file=seen.executed.path, cell=after.id)

    def _reviewed(self, plan: StoredPlan) -> tuple[Cell, ...] | None:
        """The reviewed cells; None where I7 speaks already."""
        key = (plan.runbook.commit, plan.runbook.path)
        if key not in self._kept:
            data = self.context.code.read(*key) if self.context.code else None
            self._kept[key] = cells(data) if data is not None else None
            if len(self._kept) > 64:  # noqa: PLR2004 - bounds memory
                self._kept.popitem(last=False)
        return self._kept[key]


class SameValues(Check):
    """The values that ran are those that were approved."""

    number = "I13"
    title = "the injected cell is the plan's, and the plan's is our own rendering of its parameters"

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) the plan's own cell reads back to its parameters, (2) exactly that cell was executed."""
        plan = _planned(seen)
        if plan is not None:
            yield from self._rendering(seen, plan)
        plan = seen.told.plan if seen.end and seen.told else None
        if plan is None or seen.executed is None or seen.executed.data is None:
            return
        executed = cells(seen.executed.data) or ()
        found = [cell for cell in executed if is_injected(cell)]
        sources = [cell.source for cell in found]
        place = _misplaced(executed)
        if place is not None:
            yield self.broken(seen, "it does not follow the parameters cell", file=seen.executed.path, cell=place)
        if sources != ([plan.injected] if plan.injected else []):
            wrong = f"{len(found)} injected cells, expected one" if len(found) != 1 else "it is not the plan's cell"
            yield self.broken(seen, wrong, file=seen.executed.path, cell=found[0].id if found else None)

    def _rendering(self, seen: Seen, plan: StoredPlan) -> Iterator[Violation]:
        values = {name: one.value for name, one in plan.parameters.items()}
        if not plan.injected and not values:
            return
        try:
            back = literals.read_back(plan.injected)
            ordered = {name: values[name] for name in back}
            good = len(ordered) == len(values) and literals.injected(ordered) == plan.injected
        except (RequestError, KeyError):
            good = False
        if not good:
            yield self.broken(seen, "its injected cell is not the rendering of its parameters", file="plan.json")


class PolicyOnward(Check):
    """Nobody used a weaker policy for one run.

    What was the newest policy at that moment, only the forge knows: commits carry whatever date their author wrote.
    What a clone can prove is that each policy was on the code branch and that none was older than one used before.
    """

    number = "I22"
    title = "the policy's commit is on the code branch, and no policy is older than one used before"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._last: tuple[str, tuple[str | None, str | None]] | None = None

    def not_checked(self) -> str:
        """Without the code branch there is nothing to compare with."""
        return "" if self.context.code else NO_CODE

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) on the branch, (2) never back."""
        code = self.context.code
        if code is None or seen.event is None or not isinstance(seen.event.body, Plan | Start | Answer):
            return
        commit = seen.event.body.policy_commit
        if not code.reviewed(commit):
            yield self.broken(seen, f"policy commit {commit[:SHORT]} is not on the code branch", file=policy_file.PATH)
            return
        files = (code.blob(commit, policy_file.PATH), code.blob(commit, SIGNERS))
        if _by_break_glass(seen.event.body):
            return  # judged by the policy that was last fetched, while others went on with newer ones
        if self._last and files != self._last[1] and not code.is_before(self._last[0], commit):
            wrong = f"policy commit {commit[:SHORT]} is older than {self._last[0][:SHORT]}, which was used before"
            yield self.broken(seen, wrong, file=policy_file.PATH)
            return
        if self._last is None or files != self._last[1]:
            self._last = (commit, files)


def _by_break_glass(body: Plan | Start | Answer) -> bool:
    return (isinstance(body, Plan) and body.break_glass) or (isinstance(body, Start) and body.after)


def _misplaced(executed: tuple[Cell, ...]) -> str | None:
    """The id of an injected cell that is not where it has to be: after the parameters cell, or first without one."""
    declared = next((place for place, cell in enumerate(executed) if PARAMETERS in cell.metadata.tags), -1)
    wrong = (cell for place, cell in enumerate(executed) if is_injected(cell) and place != declared + 1)
    return next((cell.id for cell in wrong), None)


def _planned(seen: Seen) -> StoredPlan | None:
    if seen.event and isinstance(seen.event.body, Plan) and seen.after:
        return seen.after.plan
    return None
