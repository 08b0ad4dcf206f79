"""I26: the kill switch. Nothing started while everything was halted, and only those whom policy names threw it."""

from __future__ import annotations

from collections.abc import Iterator

from runner.audit.book import Seen
from runner.audit.checks.check import Check
from runner.audit.checks.reviewed import NO_CODE
from runner.audit.checks.said import signed
from runner.audit.code import Code
from runner.audit.finding import Violation
from runner.ledger.bodies import Halt, Start, Unhalt
from runner.ports.forge import PersonId


class Halted(Check):
    """Halting was final until somebody who might lifted it."""

    number = "I26"
    title = "nothing started while everything was halted; people whom policy names halted and lifted it"

    def not_checked(self) -> str:
        """Without the policy nobody can say who might; starts while halted are seen all the same."""
        return "" if self.context.code else NO_CODE

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) no start while halted, (2) what is lifted is the halt in force, (3) by whom policy names, (4) signed."""
        body = seen.event.body if seen.event else None
        if isinstance(body, Start) and not body.after and seen.halted is not None:
            yield self.broken(seen, f"event {seen.halted} had halted everything")
        if isinstance(body, Unhalt) and body.halt != seen.halted:
            yield self.broken(seen, f"it lifts {body.halt}, which is not the halt in force")
        if isinstance(body, Halt | Unhalt) and self.context.code:
            yield from self._allowed(seen, body, code=self.context.code)

    def _allowed(self, seen: Seen, body: Halt | Unhalt, *, code: Code) -> Iterator[Violation]:
        policy, people = code.policy(body.policy_commit), code.people(body.policy_commit)
        local = body.request_key.startswith("local:")
        if policy is None or not policy.halt.include(PersonId(body.said.by)):
            yield self.broken(seen, f"the policy of that moment does not let {body.said.by} throw the switch")
        if local and (people is None or people.person(body.said.by) != body.said.by):
            yield self.broken(seen, f"{body.said.by} was no member")
        yield from signed(self, seen, body.said, people=(people,), local=local)
