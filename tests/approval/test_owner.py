"""Whom a runbook's owner means, and whose turn it is."""

from __future__ import annotations

import pytest

from runner.approval import owner, policy
from runner.ports.forge import PersonId

POLICY = policy.read("""
[groups]
dba = ["carol", "bob"]

[[rule]]
name = "r"
request = ["alice"]
approve = {count = 1, from = ["@dba", "erin"]}
""")


def nobody(_name: str) -> tuple[PersonId, ...]:
    return ()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@dba", ("dba",)),
        ("alice", ("alice",)),
        ("@alice, @bob; @alice", ("alice", "bob")),
        ("@ops/db", ("ops/db",)),
        ("bob@example.org", ("bob@example.org",)),
        ("The database team", ()),
        ("@dba and friends", ()),
        ("@../x", ()),
        ("@", ()),
        ("", ()),
    ],
)
def test_names_are_read_and_titles_are_none(text: str, names: tuple[str, ...]) -> None:
    assert owner.named(text) == names


def test_a_group_of_policy_comes_before_what_the_forge_knows_by_that_name() -> None:
    asked: list[str] = []

    def ask(name: str) -> tuple[PersonId, ...]:
        asked.append(name)
        return (PersonId(f"{name}-1"),)

    assert owner.people("@dba, @web", POLICY, ask=ask) == {"carol", "bob", "web-1"}
    assert asked == ["web"]
    assert owner.people("@nobody", POLICY, ask=nobody) == frozenset()


def test_who_has_least_to_do_is_next_and_of_two_the_name_decides() -> None:
    people = [PersonId(name) for name in ("carol", "bob", "alice")]
    load = {PersonId("alice"): 2, PersonId("bob"): 1, PersonId("carol"): 1}
    assert owner.in_turn(people, load) == ("bob", "carol", "alice")
    assert owner.in_turn(people, {}) == ("alice", "bob", "carol")


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("@alice", "alice"),
        ("erin", "erin"),
        ("@bob", "bob"),
        ("@dba", None),
        ("@zoe", None),
        ("@alice @bob", None),
    ],
)
def test_only_whom_policy_shows_to_be_one_person_is_one(text: str, person: str | None) -> None:
    assert owner.only_person(text, POLICY) == person
