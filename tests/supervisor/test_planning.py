"""From a request to a plan on record, or to the reasons why not."""

from __future__ import annotations

import pytest
from msgspec import structs

from runner.digest import sha256
from runner.errors import RequestError
from runner.plan.plan import SavedFile
from runner.supervisor import planning
from tests.runbook.notebooks import notebook
from tests.stories import runbooks
from tests.stories.world import World
from tests.supervisor.desks import desk_in, known_in, seen


def test_a_plan_is_made_once_for_a_request(world: World) -> None:
    world.ask("count")
    with desk_in(world) as desk:
        (request,) = seen(desk).requests
        run = planning.make_plan(desk, request, progress=lambda *_: None)
        assert run
        assert run.plan.request_key == request.key
        assert planning.make_plan(desk, request, progress=lambda *_: None) is None
    assert len(world.runs()) == 1


def test_a_runbook_with_lint_errors_is_not_planned(world: World) -> None:
    world.commit({"runbooks/bad.ipynb": runbooks.made(("change", "x = 1"), title="Bad")})
    world.ask("bad")
    with desk_in(world) as desk:
        (request,) = seen(desk).requests
        with pytest.raises(RequestError, match="R07") as caught:
            planning.find(desk, request)
    assert "runbook lint" in caught.value.hint


def test_a_runbook_that_is_not_there_is_named(world: World) -> None:
    world.ask("nothing")
    with desk_in(world) as desk:
        (request,) = seen(desk).requests
        with pytest.raises(RequestError, match="nothing"):
            planning.find(desk, request)


def test_the_work_tree_is_not_looked_at(world: World) -> None:
    (world.clone("alice") / "runbooks" / "mine.ipynb").write_bytes(notebook([]))
    world.ask("mine")
    with desk_in(world) as desk, pytest.raises(RequestError):
        planning.find(desk, seen(desk).requests[0])


@pytest.mark.parametrize("content", [None, b"altered"])
def test_a_file_of_the_plan_that_is_lost_or_altered_means_a_new_plan(world: World, content: bytes | None) -> None:
    world.planned()
    with desk_in(world) as desk:
        plan = known_in(desk).plan
        assert planning.plan_files(desk, plan) == {}
        file = SavedFile(name="saved", sha256=sha256(b"saved"), size=5)
        if content is not None:
            folder = desk.workspace.state / "plan-files" / plan.run
            folder.mkdir(parents=True)
            (folder / "saved").write_bytes(content)
        with pytest.raises(RequestError, match="saved"):
            planning.plan_files(desk, structs.replace(plan, files=(file,)))
