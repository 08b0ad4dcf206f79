"""What comments show of notebooks in the evidence: what the record names, and nothing else."""

from __future__ import annotations

from msgspec import structs

from runner.digest import sha256
from runner.supervisor import showing
from tests.stories.world import World
from tests.supervisor.desks import desk_in, known_in


def test_only_the_rehearsal_that_the_plan_names_is_shown(world: World) -> None:
    world.state("three rows")
    (world.traces / "state").write_text("three rows")
    world.planned(runbook="look")
    with desk_in(world) as desk:
        plan = known_in(desk).plan
        found = showing.rehearsed(desk, plan, commit="a" * 40)
        assert [(one.name, one.text) for one in found.cells] == [("plan (cell 4)", "would change three rows")]
        assert (found.file, found.folds) == ("plan.ipynb", False)
        assert found.where.startswith("git show aaaaaaaaaaaa:outputs/")
        other = structs.replace(plan, rehearsal=structs.replace(plan.rehearsal, notebook=sha256(b"other")))
        assert showing.rehearsed(desk, other, commit="a" * 40).cells == ()


def test_of_a_run_only_pictures_are_shown(world: World) -> None:
    world.state("three rows")
    world.planned()
    with desk_in(world) as desk:
        plan = known_in(desk).plan
        assert showing.ran(desk, plan, notebook=sha256(b"x"), commit="a" * 40, attempt=1).cells == ()
