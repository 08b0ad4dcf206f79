"""The shipped Terraform runbook from request to evidence, with the real binary: what was approved, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runner.execution.outcome import ExitReason, Fate
from runner.ledger.bodies import Rollback, Status
from tests.runbook.terraform import apply_by_hand, by_hand, module_in, needs_terraform, releases
from tests.stories.world import World

pytestmark = needs_terraform

RUNBOOK = Path(__file__).parents[2] / "runbooks" / "terraform-apply.ipynb"
BOMB = """
resource "terraform_data" "bomb" {
  count = var.release == "bomb" ? 1 : 0
  provisioner "local-exec" {
    command = "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat)"
  }
}
"""
"""Kills the process that started Terraform, which is the kernel, when that release is applied."""


@pytest.fixture
def module(world: World) -> Path:
    """A module beside a world that has the runbook."""
    world.commit({"runbooks/terraform-apply.ipynb": RUNBOOK.read_bytes()})
    return module_in(world.folder)


def asked(world: World, module: Path, release: str) -> str:
    """An issue whose request to apply a release is planned."""
    lines = [
        "```runbook",
        "runbook: terraform-apply",
        "parameters:",
        f'  module: "{module}"',
        '  allow_destroy: "true"',
    ]
    body = "\n".join([*lines, "  variables:", f'    release: "{release}"', "```", ""])
    issue = world.open_issue("alice", "Please apply", body)
    world.reconcile(wait=False)
    return issue


def saved_plan(world: World, issue: str) -> Path:
    """The file that the rehearsal left on the runner's machine."""
    with world.workspace() as opened:
        return opened.state / "plan-files" / world.run(issue).id / "saved.tfplan"


def test_the_approved_plan_is_applied_once_and_a_dead_kernels_change_is_run_in_reverse(
    world: World, module: Path
) -> None:
    with (module / "main.tf").open("a") as file:
        file.write(BOMB)
    issue = asked(world, module, "1.1")
    assert "Plan: 3 to add, 0 to change, 0 to destroy." in world.words(issue)
    assert "terraform_data.gateway" in world.words(issue)
    assert releases(module) == []
    world.approve(issue)
    world.reconcile()
    first = world.run(issue)
    assert (first.outcome, releases(module)) == (Status.SUCCEEDED, ["1.1", "1.1"])
    by_hand(module, "init", "-no-color")
    with pytest.raises(subprocess.CalledProcessError) as twice:
        by_hand(module, "apply", "-no-color", str(saved_plan(world, issue)))
    assert "Saved plan is stale" in twice.value.stderr
    assert releases(module) == ["1.1", "1.1"]

    again = asked(world, module, "bomb")
    world.approve(again)
    world.reconcile()
    second = world.run(again)
    manifest = world.manifest(second)
    assert (second.outcome, manifest.result.exit_reason) == (Status.FAILED, ExitReason.KERNEL_DIED.value)
    assert manifest.result.rollback is Rollback.COMPLETE, manifest.result
    fates = {(cell.phase, cell.role): cell.fate for cell in manifest.result.cells}
    assert fates["rollback", "setup"] is Fate.OK, "it ran in a fresh kernel, with the recorded values"
    assert fates["rollback", "rollback"] is Fate.OK
    assert releases(module) == ["1.1", "1.1"]
    world.check()


def test_a_run_is_reverted_by_a_run_in_reverse_that_proves_that_all_is_as_before(world: World, module: Path) -> None:
    apply_by_hand(module)
    issue = asked(world, module, "2.0")
    world.approve(issue)
    world.reconcile()
    old = world.run(issue)
    assert (old.outcome, releases(module)) == (Status.SUCCEEDED, ["2.0", "2.0"])
    world.say("alice", issue, f"/runbook revert {old.id} it is too slow")
    world.reconcile()
    assert releases(module) == ["2.0", "2.0"]
    world.approve(issue)
    world.reconcile()
    run = world.run(issue)
    record = world.manifest(run)
    assert (run.plan.revert_of, run.outcome) == (old.id, Status.SUCCEEDED), record.result
    assert record.result.restored is True
    assert releases(module) == ["1.0", "1.0"]
    world.check()


def test_a_state_that_moved_is_refused_with_the_difference_on_the_issue(world: World, module: Path) -> None:
    issue = asked(world, module, "1.1")
    world.approve(issue)
    apply_by_hand(module, "-var=release=0.9")
    world.reconcile()
    run = world.run(issue)
    manifest = world.manifest(run)
    assert (run.outcome, manifest.result.exit_reason) == (Status.FAILED, ExitReason.STATE_MOVED.value)
    assert manifest.result.rollback is Rollback.NOT_NEEDED
    assert releases(module) == ["0.9", "0.9"], "nothing of the plan was applied"
    words = world.words(issue)
    assert "-Plan: 3 to add, 0 to change, 0 to destroy." in words
    assert "+Plan: 1 to add, 2 to change, 1 to destroy." in words
    assert "+the state moved:" in words
    world.check()
