"""What people are told: once, and from the sealed record alone."""

from __future__ import annotations

from dataclasses import replace

from runner.plan.run import RunState
from runner.publication import markers
from runner.publication.labels import Label
from runner.publication.markers import Kind
from runner.snapshot import Unheard
from runner.supervisor import telling
from tests.stories.world import World
from tests.supervisor.desks import desk_in, known_in


def ours(world: World, issue: str) -> list[str]:
    return [one.body for one in world.thread(issue).comments if one.ours]


def test_a_plan_that_was_told_is_not_told_again(world: World) -> None:
    issue = world.planned()
    with desk_in(world) as desk:
        telling.tell(desk, known_in(desk), Kind.PLAN)
    assert len(ours(world, issue)) == 1


def test_an_answer_is_given_once(world: World) -> None:
    issue = world.planned()
    with desk_in(world) as desk:
        thread = known_in(desk).thread
        unheard = Unheard(thread=thread, key="k", body=f"No.\n\n{markers.reply('k')}")
        telling.answer(desk, unheard)
        telling.answer(desk, unheard)
    assert len(ours(world, issue)) == 2


def test_the_result_is_read_from_the_evidence_so_that_anybody_may_say_it(world: World) -> None:
    world.admit("far")
    issue = world.done()
    said = ours(world, issue)[-1]
    with desk_in(world, "bob", host="far") as desk:
        known = known_in(desk)
        body = telling._body(desk, replace(known, told=frozenset()), Kind.RESULT)  # noqa: SLF001 - the text itself
    assert [line for line in body.splitlines() if "head:" not in line] == [
        line for line in said.splitlines() if "head:" not in line
    ]


def test_the_status_is_one_comment_that_is_edited(world: World) -> None:
    issue = world.done()
    with desk_in(world) as desk:
        known = known_in(desk)
        telling.status(desk, known, state="started", step="act", done=0, cells=3, seconds=1.0)
        telling.status(desk, known, state="started", step="verify", done=1, cells=3, seconds=2.0)
    assert len(ours(world, issue)) == 3
    assert "verify" in ours(world, issue)[1]


def test_a_label_takes_the_place_of_our_other_ones_only(world: World) -> None:
    issue = world.planned()
    with world.workspace() as opened:
        forge = opened.forge_as_person()
        forge.label(forge.issues()[0].id, add=frozenset({"urgent"}), remove=frozenset())
    with desk_in(world) as desk:
        telling.mark(desk, known_in(desk), Label.APPROVED)
    assert world.thread(issue).issue.labels == {"urgent", Label.APPROVED.value}
    world.reconcile()
    assert world.thread(issue).issue.labels == {"urgent", Label.PLANNED.value}


def test_a_plan_is_told_for_the_run_and_the_rest_for_the_attempt(world: World) -> None:
    issue = world.done()
    run = world.run(issue)
    assert run.state is RunState.FINISHED
    assert (telling.attempt_of(run, Kind.PLAN), telling.attempt_of(run, Kind.RESULT)) == (1, run.attempt)
