"""The real Terraform for tests: a module of its own, and the binary by hand beside the runbook."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from runner.digest import Json

EXAMPLE = Path(__file__).parents[2] / "runbooks" / "terraform" / "example"

needs_terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="machine: there is no terraform here")


def module_in(folder: Path) -> Path:
    """A copy of the shipped example: built-in provider, local backend, so nothing is fetched."""
    shutil.copytree(EXAMPLE, folder / "module")
    return folder / "module"


def by_hand(module: Path, *words: str) -> str:
    """Run Terraform as somebody would who does not use the runbook."""
    own = module.parent / "by-hand"
    own.mkdir(exist_ok=True)
    (own / "terraformrc").write_text("disable_checkpoint = true\n")
    settings = {
        "TF_CLI_CONFIG_FILE": str(own / "terraformrc"),
        "TF_DATA_DIR": str(own / "data"),
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
    }
    run = subprocess.run(
        ["terraform", f"-chdir={module}", *words],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return run.stdout


def apply_by_hand(module: Path, *words: str) -> None:
    """What somebody else does to the module meanwhile."""
    by_hand(module, "init", "-no-color")
    by_hand(module, "apply", "-no-color", "-auto-approve", *words)


def resources(module: Path) -> dict[str, Json]:
    """What the state says there is: address to the value that each resource was given."""
    file = module / "terraform.tfstate"
    if not file.exists():
        return {}
    return {
        f"{one['name']}[{instance.get('index_key', '')}]": instance["attributes"]["input"]["value"]
        for one in json.loads(file.read_text())["resources"]
        for instance in one["instances"]
        if one["name"] == "service"
    }


def releases(module: Path) -> list[str]:
    """The release of each service, in order."""
    found = resources(module)
    return [str(value["release"]) for _, value in sorted(found.items()) if isinstance(value, dict)]
