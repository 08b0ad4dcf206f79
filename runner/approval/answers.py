"""Answers to what a run asks in the middle of it: which question is meant, and what the words are worth.

Pure. Who may answer is `rights.py`'s business. An answer is for one question and never for the next one: whoever
answers a second question names it, and what was written before a question was put on the issue is no answer to it.
"""

from __future__ import annotations

from runner.approval.rules import Policy, Rule
from runner.digest import Json
from runner.ledger.bodies import Question, QuestionKind
from runner.plan.plan import Plan
from runner.plan.run import Run
from runner.ports.forge import PersonId
from runner.request.arguments import Answer
from runner.runbook import leaks
from runner.runbook.parameters import ParameterErrors, Schema

YES, NO = "yes", "no"
_FIRST = 1


def people(policy: Policy, plan: Plan) -> frozenset[PersonId] | None:
    """Name those who may answer what a run of this plan asks; None where any member may.

    The run goes on on all of its targets, so the rule of every target has to name them.
    """
    rules = _rules(policy, plan)
    named = [rule.answer.members for rule in rules if not rule.answer.anybody]
    if rules and not named:
        return None
    return frozenset.intersection(*named) if named else frozenset()


def people_in_words(policy: Policy, plan: Plan) -> str:
    """The same, as policy writes it."""
    return "; and ".join(dict.fromkeys(str(rule.answer) for rule in _rules(policy, plan))) or "nobody"


def unanswerable(policy: Policy, plan: Plan) -> list[str]:
    """Say why nobody could answer what a run of this plan would ask; nothing if somebody can, or nothing is asked."""
    if not plan.questions or people(policy, plan) != frozenset():
        return []
    closed = [rule.name for rule in _rules(policy, plan) if not rule.answer.written]
    why = f'rule "{closed[0]}" lets nobody answer' if closed else "no one person may answer for all of its targets"
    asked = plan.questions[0]
    return [f"it asks before {asked.step} ({asked.text}), and {why}"]


def _rules(policy: Policy, plan: Plan) -> tuple[Rule, ...]:
    return policy.rules_for(runbook=plan.runbook.name, risk=plan.risk, targets=plan.targets)


class NotAnAnswerError(Exception):
    """Why words are no answer to a question, with what would be one."""


def question_of(run: Run) -> Question | None:
    """What the run asks now."""
    body = run.question.body if run.question else None
    return body if isinstance(body, Question) else None


def line(question: Question, *, run: str = "") -> str:
    """The command that answers exactly this question, as people write it."""
    text = YES if question.kind is QuestionKind.CONFIRM else "VALUE"
    return " ".join(["/runbook answer", *([run] if run else []), f"q{question.ordinal}", text])


def misplaced(args: Answer, run: Run, *, heard_since: bool, late: bool) -> str:
    """Say why a command answers nothing that this run asks now; empty if it does.

    Args:
        args: the command.
        run: the run that it speaks of.
        heard_since: whether it was written after the open question was put on the issue.
        late: whether the time for the open question is over.
    """
    question = question_of(run)
    if question is None:
        return f"run {run.id} asks nothing now"
    if run.cancel is not None:
        return f"run {run.id} is being cancelled"
    if args.question not in {0, question.ordinal}:
        return f"q{args.question} is not open; what run {run.id} asks now is q{question.ordinal}: {question.text}"
    if not args.question and question.ordinal > _FIRST:
        return f"run {run.id} has asked before, so say which question you answer: {line(question)}"
    if not heard_since:
        return f"it was written before q{question.ordinal} was asked here: {question.text}"
    if late:
        return f"the time to answer q{question.ordinal} was over at {question.until}"
    return ""


def read(question: Question, text: str, *, schema: Schema) -> tuple[Json, str]:
    """Read the words of an answer.

    Args:
        question: what was asked.
        text: the words.
        schema: of the runbook's parameters; only an `ask` needs it.

    Returns:
        The value (true or false for a `confirm`), and a reason where one was given.

    Raises:
        NotAnAnswerError: with what would be accepted.
    """
    if found := leaks.findings(text):
        rules = ", ".join(sorted({one.rule for one in found}))
        raise NotAnAnswerError(f"it holds what looks like a secret ({rules}); take it as leaked and replace it")
    if question.kind is QuestionKind.CONFIRM:
        return _yes_or_no(text)
    asked = tuple(one for one in schema.parameters if one.name == question.parameter)
    try:
        return Schema(parameters=asked).values({question.parameter: text})[question.parameter], ""
    except ParameterErrors as error:
        raise NotAnAnswerError(str(error.problems[0])) from error


def _yes_or_no(text: str) -> tuple[bool, str]:
    word, _, reason = text.partition(" ")
    if word.casefold() not in {YES, NO}:
        raise NotAnAnswerError("it begins with neither yes nor no; accepted: yes, or no, and a reason if you like")
    return word.casefold() == YES, reason.strip()
