"""The desk: who may sit at it, and what lies on it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from runner import wiring
from runner.digest import Digest
from runner.errors import IntegrityError, OperatorError
from runner.ports.forge import PersonId
from runner.supervisor import founding
from runner.supervisor.desk import reading_desk
from tests.stories.world import World
from tests.supervisor.desks import desk_in, known_in


def test_a_machine_without_a_key_is_told_to_make_one(world: World) -> None:
    with pytest.raises(OperatorError, match="no signing key") as caught, desk_in(world, host="far"):
        pytest.fail("it has no key")
    assert "runbook init" in caught.value.hint


def test_a_machine_whose_key_was_not_let_in_is_told_what_to_run_where(world: World) -> None:
    with world.on("far"):
        key = founding.join(world.clone("bob"))
    with pytest.raises(OperatorError, match="may not write") as caught, desk_in(world, "bob", host="far"):
        pytest.fail("nobody let it in")
    assert f"runbook init --admit '{key}'" in caught.value.hint


def test_whoever_only_looks_needs_no_key_and_cannot_write(world: World) -> None:
    world.planned()
    with world.workspace("bob", host="far") as opened, reading_desk(opened, now=wiring.now) as desk:
        assert desk.ledger.state.seq == 1
        with pytest.raises(OperatorError, match="only read at"):
            _ = desk.writer


def test_a_plan_is_read_only_if_it_is_the_one_that_the_ledger_names(world: World) -> None:
    world.planned()
    with desk_in(world) as desk:
        known = known_in(desk)
        assert desk.plan(known.run).digest == known.run.digest
        other = replace(known.run, plan=structs.replace(known.run.plan, plan_digest=Digest("0" * 64)))
        with pytest.raises(IntegrityError, match="not the one that the ledger names"):
            desk.plan(other)


def test_a_policy_that_is_missing_denies_and_says_so(world: World) -> None:
    world.commit({"runbooks/policy.toml": None})
    with desk_in(world) as desk:
        assert desk.policy.rules == ()
        assert "there is no runbooks/policy.toml" in desk.policy_problem


def test_a_name_that_policy_has_under_another_account_is_nobodys(world: World) -> None:
    with desk_in(world) as desk:
        alice, bob = (PersonId(f"{name}@example.org") for name in ("alice", "bob"))
        pinned = replace(desk, policy=replace(desk.policy, accounts={bob: "17"}))
        assert desk.members({alice, bob}) == {alice, bob}
        assert pinned.members({alice, bob}) == {alice}
        assert desk.members({alice}, accounts=[(alice, "1"), (alice, "2")]) == frozenset()
