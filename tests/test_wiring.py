"""The wiring: a clone is opened with the settings of its protected branch, and each port gets its adapter."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner import wiring
from runner.errors import OperatorError
from tests.stories import world as worlds
from tests.stories.world import SETTINGS, World, git


@pytest.fixture
def world(tmp_path: Path) -> World:
    return worlds.found(tmp_path / "w")


def test_settings_are_read_at_the_protected_branch_and_not_in_the_work_tree(world: World) -> None:
    (world.clone("alice") / "pyproject.toml").write_text("broken")
    with world.workspace() as opened:
        assert opened.settings.project == "lab-00000000"
        world.commit({"pyproject.toml": SETTINGS + 'bot = "robot"\n'}, person="bob")
        assert opened.settings.bot == "runbook"
        assert opened.refreshed().settings.bot == "robot"


def test_a_machine_keeps_its_name_and_another_one_has_another(world: World) -> None:
    with world.workspace() as opened:
        name = opened.owner()
        assert opened.owner() == name
    with world.workspace("bob", host="far") as opened:
        assert opened.owner() != name


def test_a_clone_that_never_saw_the_ledger_believes_the_runner_at_once(world: World) -> None:
    issue = world.planned()
    with world.workspace("carol", host="far") as opened:
        comments = opened.forge_as_person().thread(opened.forge_as_person().issues()[0].id).comments
    assert [one.ours for one in comments] == [False, True]
    assert issue == "1"


def test_an_executor_that_there_is_not_is_named(world: World) -> None:
    world.commit({"pyproject.toml": SETTINGS + 'executor = "moon"\n'})
    with pytest.raises(OperatorError, match="'moon' must be local or gitlab-ci"), world.workspace():
        pass


def test_secrets_are_looked_for_in_the_named_folder(world: World) -> None:
    with world.workspace() as opened:
        assert opened.secrets_folder() == opened.state / "secrets"
    world.commit({"pyproject.toml": SETTINGS + 'secrets = "/run/secrets"\n'})
    with world.workspace() as opened:
        assert opened.secrets_folder() == Path("/run/secrets")


def test_a_person_without_a_signing_key_has_none(world: World) -> None:
    with world.workspace() as opened:
        assert wiring.person_key(opened.repository)
    git(world.clone("alice"), "config", "--unset", "user.signingkey")
    with world.workspace() as opened:
        assert wiring.person_key(opened.repository) is None
