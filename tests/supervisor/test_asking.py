"""The effects of a question, each safe to repeat."""

from __future__ import annotations

from msgspec.structs import replace

from runner.digest import parse
from runner.execution.asking import PAYLOAD_TYPE, Given
from runner.ledger.bodies import Answer, Question
from runner.ledger.envelope import open_envelope
from runner.supervisor import asking, record
from runner.supervisor.gather import work_key
from tests.builders import some_words
from tests.stories.world import BOB, World
from tests.supervisor.desks import desk_in
from tests.supervisor.waiting_runs import ASKED, known_now, started, waiting


def test_a_question_goes_on_record_once_and_none_follows_while_it_waits(world: World) -> None:
    started(world)
    with desk_in(world) as desk:
        known = waiting(desk)
        assert [asking.ask(desk, known) for _ in range(2)] == [True, False]
        second = known_now(desk, asked=replace(ASKED, ordinal=2))
        assert not asking.ask(desk, second)
        event = second.run.question
        assert event
        assert isinstance(event.body, Question)
        assert (event.body.text, event.body.parameter) == ("How many at once?", "batch")
    assert sum(event.type == "question" for event in world.events()) == 1


def test_an_answer_is_brought_signed_for_that_question_of_that_start(world: World) -> None:
    issue = started(world)
    with desk_in(world) as desk:
        known = waiting(desk)
        asking.ask(desk, known)
        question = known_now(desk).run.question
        assert question
        body = Answer(question=question.seq, value=25, said=some_words(BOB, f"{issue}/9"), policy_commit="c" * 40)
        for _ in range(2):
            record.heard(desk.ledger, known.run, body, plan=known.plan, writer=desk.writer, now=desk.now)
        answered = known_now(desk)
        assert len(answered.run.answers) == 1
        brought: dict[str, bytes] = {}
        desk.executor.deliver = lambda key, name, data: brought.update({f"{key} {name}": data})  # type: ignore[method-assign] # no worker is there to bring it to
        for _ in range(2):
            asking.deliver(desk, answered)
        ((where, envelope),) = brought.items()
        assert where == f"{work_key(answered.run)} answer-1.dsse.json"
        payload = open_envelope(envelope, keys=sorted(desk.ledger.state.keys), payload_type=PAYLOAD_TYPE)
        given = parse(Given, payload)
    assert (given.run, given.attempt, given.ordinal, given.value, given.by) == (answered.run.id, 1, 1, 25, BOB)
    assert given.event == answered.run.answers[0].seq
