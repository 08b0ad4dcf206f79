"""The Terraform runbook's cells as plain Python, with the real binary on a real module."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.digest import Json
from runner.runbook.cells import FORWARD, REHEARSED, Role
from tests.runbook.terraform import apply_by_hand, by_hand, module_in, needs_terraform, releases
from tests.runbook.test_shipped import execute, succeeded

NAME = "terraform-apply"
pytestmark = needs_terraform


@pytest.fixture
def module(tmp_path: Path) -> Path:
    return module_in(tmp_path)


def values(module: Path, **more: Json) -> dict[str, Json]:
    return {"module": str(module), **more}


def test_a_rehearsal_shows_creates_changes_and_replacements_and_writes_nothing(module: Path) -> None:
    shown = succeeded(execute(NAME, values(module), *REHEARSED))
    assert "Plan: 3 to add, 0 to change, 0 to destroy." in shown
    assert 'create  terraform_data.service[0]  input                  {"place": 0, "release": "1.0"}' in shown
    assert [path.name for path in module.iterdir()] == ["main.tf"]
    apply_by_hand(module)
    before = sorted(path.name for path in module.iterdir())
    more = values(module, variables={"release": "2.0", "instances": "1"}, allow_destroy=True)
    shown = succeeded(execute(NAME, more, *REHEARSED))
    assert "Plan: 1 to add, 1 to change, 2 to destroy." in shown
    assert "change   terraform_data.service[0]  input" in shown
    assert "destroy  terraform_data.service[1]" in shown
    assert "replace  terraform_data.gateway" in shown
    assert sorted(path.name for path in module.iterdir()) == before
    assert succeeded(execute(NAME, more, *REHEARSED)) == shown, "two looks at one state are the same"


def test_nothing_is_destroyed_unless_that_is_asked_for(module: Path) -> None:
    apply_by_hand(module)
    refused = execute(NAME, values(module, variables={"instances": "1"}), *REHEARSED)
    assert "not so: nothing is destroyed or replaced" in refused.stderr


def test_what_is_applied_can_be_verified_and_its_values_stay_in_force(module: Path) -> None:
    shown = succeeded(execute(NAME, values(module, variables={"release": "1.1"}), *FORWARD))
    assert "Apply complete! Resources: 3 added" in shown
    assert releases(module) == ["1.1", "1.1"]
    assert '"release": "1.1"' in (module / "runbook.auto.tfvars.json").read_text()
    by_hand(module, "init", "-no-color")
    assert "No changes" in by_hand(module, "plan", "-no-color"), "whoever plans by hand finds the same values"


def test_the_way_back_is_a_run_in_reverse_to_the_values_before(module: Path) -> None:
    succeeded(execute(NAME, values(module, variables={"release": "1.1"}), *FORWARD))
    more = values(module, variables={"release": "2.0"}, allow_destroy=True)
    shown = succeeded(execute(NAME, more, *REHEARSED, Role.CHANGE, Role.ROLLBACK))
    assert "ok: everything is as the values before say" in shown
    assert releases(module) == ["1.1", "1.1"]
    assert '"release": "1.1"' in (module / "runbook.auto.tfvars.json").read_text()


def test_the_way_back_is_refused_where_others_have_changed_the_state_since(module: Path) -> None:
    source = f"exec(CHANGE)\nimport subprocess\nsubprocess.run({['terraform', f'-chdir={module}', 'apply']!r} + "
    later = source + "['-auto-approve', '-var=instances=3'], env={**__import__('os').environ, **settings}, check=True)"
    refused = execute(NAME, values(module), *REHEARSED, Role.CHANGE, Role.ROLLBACK, change=later)
    assert "not so: nobody else has changed the state since" in refused.stderr
    assert len(releases(module)) == 3


def test_where_there_was_nothing_before_the_way_back_destroys_it_all(module: Path) -> None:
    shown = succeeded(
        execute(NAME, values(module, variables={"release": "1.1"}), *REHEARSED, Role.CHANGE, Role.ROLLBACK)
    )
    assert "ok: nothing is left of it" in shown
    assert releases(module) == []
    assert not (module / "runbook.auto.tfvars.json").exists()


def test_a_plan_that_became_stale_at_the_last_moment_undoes_nothing_of_what_others_did(module: Path) -> None:
    # As if somebody had been quicker between the second look and the change.
    source = f"import subprocess\nsubprocess.run({['terraform', f'-chdir={module}', 'apply', '-auto-approve']!r}, "
    quicker = source + "env={**__import__('os').environ, **settings}, check=True, capture_output=True)"
    late = f"{quicker}\ntry:\n    exec(CHANGE)\nexcept CommandFailed as error:\n    print('refused:', error)"
    shown = succeeded(execute(NAME, values(module), *REHEARSED, Role.CHANGE, Role.ROLLBACK, change=late))
    assert "Saved plan is stale" in shown
    assert "nothing was applied" in shown
    assert releases(module) == ["1.0", "1.0"]


def test_a_sensitive_variable_is_refused_in_a_request(module: Path) -> None:
    with (module / "main.tf").open("a") as file:
        file.write('variable "password" {\n  default   = ""\n  sensitive = true\n}\n')
    refused = execute(NAME, values(module, variables={"password": "x"}), *REHEARSED)
    assert "not so: no sensitive variable is given in the request" in refused.stderr


def test_a_module_whose_providers_are_not_pinned_is_not_planned(module: Path) -> None:
    with (module / "main.tf").open("a") as file:
        file.write('resource "local_file" "a" {\n  filename = "a"\n}\n')
    mirror = module.parent / "mirror"
    mirror.mkdir()
    refused = execute(NAME, values(module, mirror=str(mirror)), *REHEARSED)
    assert refused.returncode != 0
    assert "hashicorp/local" in refused.stderr
