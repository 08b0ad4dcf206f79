"""I27: who answered what a run asked: somebody allowed, in time, in these words; nothing that asks ran without it."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runner.approval.answers import NotAnAnswerError, read
from runner.approval.rights import Actor, may
from runner.approval.rules import Identity, Policy
from runner.audit import notebook
from runner.audit.book import Seen, Told
from runner.audit.checks.check import Check, Context
from runner.audit.checks.reviewed import NO_CODE
from runner.audit.checks.said import signed, words
from runner.audit.code import Code
from runner.audit.finding import Violation
from runner.digest import SHORT, canonical
from runner.errors import RequestError
from runner.evidence.manifest import Manifest
from runner.execution.outcome import Answered as Kept
from runner.execution.outcome import began
from runner.ledger.bodies import Answer, Question, QuestionKind
from runner.ledger.event import Event
from runner.plan.plan import Plan
from runner.ports.forge import PersonId
from runner.request.command import Verb
from runner.runbook import cells, questions
from runner.runbook.cells import Role
from runner.runbook.literals import injected
from runner.runbook.parameters import Schema
from runner.runbook.questions import Asks

_COMMAND = re.compile(
    r"^(?:/runbook|@\S+)\s+answer\s+(?:[0-9]{8}T[0-9]{6}Z-\S+\s+)?(?:q[1-9][0-9]*\s+)?(.*?)\s*$", re.MULTILINE
)
KEPT = 64
"""Runbooks whose questions are kept in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """What a runbook asks: its parameters, and the cells with their questions."""

    schema: Schema = field(default_factory=Schema)
    cells: Mapping[str, Asks] = field(default_factory=dict)


class Answered(Check):
    """Nobody answered who may not, and nothing that asks ran without its answer."""

    number = "I27"
    title = "what a run asked was answered in time by somebody whom policy let, and what asks ran only with its answer"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._kept: OrderedDict[tuple[str, str], _Asking] = OrderedDict()

    def not_checked(self) -> str:
        """Without the policy, the people's keys and the runbook nothing can be said."""
        return "" if self.context.code else NO_CODE

    def see(self, seen: Seen) -> Iterator[Violation]:
        """(1) each answer by time, rights, signature and words, (2) at the end the cells, and what is said of them."""
        body, code, told = seen.event.body if seen.event else None, self.context.code, seen.before
        if code is None or told is None or told.plan is None:
            return
        if isinstance(body, Answer) and not seen.illegal and told.run.question and seen.event:
            asked = told.run.question.body
            if isinstance(asked, Question):
                yield from self._answer(seen, asked, body)
        if seen.end is not None and seen.manifest is not None:
            yield from self._cells(seen, told, seen.manifest)
            yield from self._notebook(seen, seen.manifest)

    def _answer(self, seen: Seen, asked: Question, body: Answer) -> Iterator[Violation]:
        told, code = seen.before, self.context.code
        if told is None or told.plan is None or code is None or seen.event is None:
            return
        if seen.event.time > asked.until:
            yield self.broken(seen, f"it was given after {asked.until}, when the time to answer was over")
        local = told.run.plan.request_key.startswith("local:")
        policy = code.policy(body.policy_commit)
        if policy is None:
            yield self.broken(seen, f"there is no readable policy at {body.policy_commit[:SHORT]} to judge it by")
        else:
            yield from self._right(seen, body, policy, plan=told.plan)
        yield from signed(self, seen, body.said, people=(code.people(body.policy_commit),), local=local)
        if not _says(asked, body, self._asking(code, told.plan).schema):
            yield self.broken(seen, f"what {body.said.by} wrote is not the answer {json.dumps(body.value)}")

    def _right(self, seen: Seen, body: Answer, policy: Policy, *, plan: Plan) -> Iterator[Violation]:
        person, code = PersonId(body.said.by), self.context.code
        people = code.people(body.policy_commit) if code else None
        local = plan.requested.key.startswith("local:") and policy.identity is Identity.SIGNED
        member = not local or (people is not None and people.person(person) == person)
        actor = Actor(person=person, verified=body.said.verified, member=member)
        decision = may(policy, Verb.ANSWER, actor=actor, plan=plan)
        if not decision.allowed:
            yield self.broken(seen, decision.reasons[0])

    def _cells(self, seen: Seen, told: Told, manifest: Manifest) -> Iterator[Violation]:
        """Every cell that asks and began has its answer on record, and the manifest names just those."""
        file = seen.manifest_file.path if seen.manifest_file else ""
        given = {question.cell: (question, answer) for question, answer in _pairs(told)}
        asks = self._asking(self.context.code, told.plan).cells if self.context.code and told.plan else {}
        for cell in manifest.result.cells:
            if cell.phase != "forward" or cell.id not in asks or not began(cell):
                continue
            pair = given.get(cell.id)
            if pair is None:
                yield self.broken(seen, "it asks before it runs, and ran without an answer", file=file, cell=cell.id)
            elif pair[0].kind is QuestionKind.CONFIRM and _value(pair[1]) is not True:
                yield self.broken(seen, "it ran though the answer was no", file=file, cell=cell.id)
        for kept in manifest.result.answers:
            pair = given.get(kept.asked_by)
            if pair is None or not _same(kept, *pair):
                wrong = f"the manifest has an answer by {kept.by} that is not on record"
                yield self.broken(seen, wrong, file=file, cell=kept.asked_by)

    def _notebook(self, seen: Seen, manifest: Manifest) -> Iterator[Violation]:
        """The executed notebook sets what was answered, right before the cell that asked, and nothing else."""
        if seen.executed is None or seen.executed.data is None:
            return
        found = notebook.cells(seen.executed.data) or ()
        wanted = {one.cell: one for one in manifest.result.answers if one.cell}
        there = {cell.id: place for place, cell in enumerate(found) if notebook.is_answer(cell)}
        for name in sorted(wanted.keys() | there.keys()):
            one, place = wanted.get(name), there.get(name)
            if one is None or place is None:
                yield self.broken(
                    seen, "it sets what nobody answered, or is missing", file=seen.executed.path, cell=name
                )
                continue
            follows = found[place + 1].id if place + 1 < len(found) else ""
            if found[place].source != injected({one.parameter: one.value}) or follows != one.asked_by:
                yield self.broken(seen, "it is not what was answered there", file=seen.executed.path, cell=name)

    def _asking(self, code: Code, plan: Plan) -> _Asking:
        key = (plan.runbook.commit, plan.runbook.path)
        if key not in self._kept:
            self._kept[key] = _read(code.read(*key))
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]


def _pairs(told: Told) -> Iterator[tuple[Question, Event]]:
    """The attempt's questions that were answered, each with its answer."""
    for question, answer in zip(told.run.questions, told.run.answers, strict=False):
        if isinstance(question.body, Question):
            yield question.body, answer


def _read(data: bytes | None) -> _Asking:
    """What a runbook asks; nothing where it cannot be read, of which other checks speak."""
    try:
        found = cells.read(json.loads(data or b"{}"))
    except (RequestError, ValueError, RecursionError):
        return _Asking()
    declared = next((cell.source for cell in found if cell.role is Role.PARAMETERS), "")
    return _Asking(schema=Schema.read(declared), cells={cell.id: asks for cell, asks in questions.of(found)})


def _says(asked: Question, body: Answer, schema: Schema) -> bool:
    """Whether the words that somebody wrote are this answer; without the words, whether they could have been."""
    texts = _COMMAND.findall(words(body.said).body)
    if body.said.payload is None:
        texts = [("yes" if body.value else "no") if asked.kind is QuestionKind.CONFIRM else body.value]
    for text in texts:
        try:
            if read(asked, text, schema=schema)[0] == body.value:
                return True
        except (NotAnAnswerError, AttributeError):
            continue
    return False


def _value(event: Event) -> object:
    return event.body.value if isinstance(event.body, Answer) else None


def _same(kept: Kept, asked: Question, event: Event) -> bool:
    """Whether the manifest says of an answer what the record says."""
    answer = event.body
    if not isinstance(answer, Answer):
        return False
    there = (kept.event, kept.by, kept.ordinal, kept.kind, kept.parameter, canonical(kept.value))
    return there == (
        event.seq,
        answer.said.by,
        asked.ordinal,
        asked.kind,
        asked.parameter,
        canonical(answer.value),
    )
