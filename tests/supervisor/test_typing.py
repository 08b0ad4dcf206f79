"""Answers from the keyboard: written as the person's own comment, and only where they can count."""

from __future__ import annotations

from runner.execution.progress import Progress
from runner.ledger.bodies import Question
from runner.publication.markers import Kind
from runner.supervisor import asking, telling
from runner.supervisor.typing import Keyboard
from runner.supervisor.watcher import Watcher
from tests.stories.world import BOB, World
from tests.supervisor.desks import desk_in
from tests.supervisor.waiting_runs import known_now, started, waiting


class Typist:
    """Types these lines, one each time it is asked."""

    def __init__(self, *lines: str) -> None:
        self.lines, self.told = list(lines), list[str]()
        self.watcher = Watcher(say=self.told.append, progress=self._ignored, typed=self._typed)

    def _ignored(self, _run: str, _progress: Progress) -> None:
        return

    def _typed(self, _run: str, _question: Question) -> str:
        return self.lines.pop(0) if self.lines else ""


def test_what_is_typed_is_said_on_the_issue_by_whoever_may_answer_and_bad_words_are_told_at_once(world: World) -> None:
    issue = started(world)
    with desk_in(world) as desk:
        known = waiting(desk)
        typist = Typist("25")
        assert not Keyboard(desk, typist.watcher).answered(known), "nothing is asked yet"
        asking.ask(desk, known)
        telling.tell(desk, known_now(desk), Kind.QUESTION)
        alice = Keyboard(desk, typist.watcher)
        assert [alice.answered(known_now(desk)) for _ in range(2)] == [False, False]
        (told,) = typist.told
        assert "waits for somebody else's answer" in told
        assert typist.lines == ["25"], "who may not answer is not asked"
    with desk_in(world, "bob") as desk:
        typist = Typist("51", "", "25")
        bob = Keyboard(desk, typist.watcher)
        assert [bob.answered(known_now(desk)) for _ in range(3)] == [False, False, True]
        (told,) = typist.told
        assert "that is no answer" in told
        run = known_now(desk).run.id
    said = world.thread(issue).comments[-1]
    assert (said.author, said.body.strip(), said.verified) == (BOB, f"/runbook answer {run} q1 25", True)
