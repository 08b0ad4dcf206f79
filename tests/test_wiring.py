"""The wiring: a clone is opened with the settings of its protected branch, and each port gets its adapter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from runner import wiring
from runner.digest import parse
from runner.errors import IntegrityError, OperatorError
from runner.execution.order import PAYLOAD_TYPE, Order
from runner.ledger.envelope import open_envelope
from tests.stories import world as worlds
from tests.stories.world import SETTINGS, World, git, wait_for


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
    with world.workspace() as opened, pytest.raises(OperatorError, match="'moon'"):
        opened.executor()


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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda _: {"nonce": "0" * 32}, "not the start"),
        (lambda _: {"plan_digest": "0" * 64}, "not the start"),
        (lambda order: {"start": order.start - 1}, "not the start"),
        (lambda _: {"start": None}, "not the start"),
        (lambda _: {"run": "20260101T000000Z-other-00000000"}, "not the start"),
    ],
    ids=["nonce", "plan", "another event", "none", "another run"],
)
def test_a_worker_is_driven_by_nothing_but_the_open_start(
    world: World, change: Callable[[Order], dict[str, object]], words: str
) -> None:
    issue = world.started()
    spool = world.spool(issue)
    keys = (spool / "trusted_keys").read_text().split("\n")[:1]
    order = parse(Order, open_envelope((spool / "order.dsse.json").read_bytes(), keys=keys, payload_type=PAYLOAD_TYPE))
    with world.on():
        wiring.still_open(order)
        with pytest.raises(IntegrityError, match=words):
            wiring.still_open(msgspec.structs.replace(order, **change(order)))
        (world.traces / "go").touch()
        wait_for(spool / "outcome")
        world.reconcile()
        with pytest.raises(IntegrityError, match="not open"):
            wiring.still_open(order)
