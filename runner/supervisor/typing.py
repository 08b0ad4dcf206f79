"""Answers from the keyboard: what is typed is written on the issue as that person's own comment, and judged there."""

from __future__ import annotations

from runner.approval import answers
from runner.approval.answers import NotAnAnswerError
from runner.approval.rights import Actor, may
from runner.errors import RunbookError
from runner.ledger.bodies import Question
from runner.request.command import Verb
from runner.snapshot import Known
from runner.supervisor.desk import Desk
from runner.supervisor.questions import schema
from runner.supervisor.watcher import Watcher, nobody


class Keyboard:
    """Whoever is at the keyboard. Nobody is asked there who may not answer.

    Args:
        desk: at hand.
        watcher: knows what was typed.
    """

    def __init__(self, desk: Desk, watcher: Watcher) -> None:
        self._desk, self._watcher = desk, watcher
        self._may: dict[str, bool] = {}

    def answered(self, known: Known) -> bool:
        """Ask the person what a run asks; true if an answer was written on the issue.

        What cannot be an answer is said at once, so that no comment is spent on it.
        """
        question = answers.question_of(known.run)
        if question is None or self._watcher.typed is nobody or not self._may_answer(known):
            return False
        words = self._watcher.typed(known.run.id, question).strip()
        if not words:
            return False
        try:
            self._say(known, question, words)
        except NotAnAnswerError as error:
            self._watcher.say(f"that is no answer: {error}")
            return False
        except RunbookError as error:
            self._watcher.say(f"the answer could not be written: {error}")
            return False
        return True

    def _may_answer(self, known: Known) -> bool:
        if known.run.id not in self._may:
            try:
                forge = self._desk.workspace.forge_as_person(fetched=True)
                me = forge.me()
                actor = Actor(person=me, verified=True, member=me in self._desk.members({me}))
                decision = may(self._desk.policy, Verb.ANSWER, actor=actor, plan=known.plan)
            except RunbookError:
                return False
            self._may[known.run.id] = decision.allowed
            if not decision.allowed:
                self._watcher.say(f"{known.run.id} waits for somebody else's answer: {decision.reasons[0]}")
        return self._may[known.run.id]

    def _say(self, known: Known, question: Question, words: str) -> None:
        answers.read(question, words, schema=schema(self._desk, known.plan, question))
        forge = self._desk.workspace.forge_as_person()
        forge.comment(known.thread.issue.id, f"/runbook answer {known.run.id} q{question.ordinal} {words}\n")
