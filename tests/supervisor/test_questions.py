"""What an open question needs to be answered: read from the plan's own commit and from the issue as it is."""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as other

from runner.approval.meant import Known as Meant
from runner.ledger.bodies import QuestionKind
from runner.publication.markers import Kind
from runner.supervisor import asking, telling
from runner.supervisor.questions import answerable, schema
from tests.stories.world import World
from tests.supervisor.desks import desk_in
from tests.supervisor.waiting_runs import known_now, started, waiting


def test_a_question_is_answered_by_what_was_written_after_it_and_by_its_parameters_schema(world: World) -> None:
    issue = started(world)
    before = world.say("bob", issue, "I am here")
    with desk_in(world) as desk:
        known = waiting(desk)
        meant = Meant(run=known.run, plan=known.plan, events=())
        assert answerable(desk, known, meant) == meant, "nothing is asked yet"
        asking.ask(desk, known)
        asked = known_now(desk)
        meant = Meant(run=asked.run, plan=asked.plan, events=())
        assert answerable(desk, asked, meant).since == frozenset(), "nobody has read the question"
        telling.tell(desk, asked, Kind.QUESTION)
        telling.tell(desk, asked, Kind.QUESTION)
    after = world.say("bob", issue, "12")
    with desk_in(world) as desk:
        asked = known_now(desk)
        found = answerable(desk, asked, Meant(run=asked.run, plan=asked.plan, events=()))
        assert after in found.since
        assert before not in found.since
        assert [one.name for one in found.schema.parameters] == ["folder", "host", "batch"]
        assert not found.late
        question = asked.run.question
        assert question
        body = other(question.body, until="2026-01-01T00:00:00.000Z")
        over = replace(asked, run=replace(asked.run, questions=(replace(question, body=body),)))
        assert answerable(desk, over, Meant(run=over.run, plan=over.plan, events=())).late
        confirm = other(question.body, kind=QuestionKind.CONFIRM)
        assert schema(desk, asked.plan, confirm).parameters == ()  # type: ignore[arg-type] # it is a question still
    assert sum("**Question 1:**" in one.body for one in world.thread(issue).comments) == 1
