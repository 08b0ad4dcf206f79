"""Who is a member: one request where they fit on a page, and each by name where they do not."""

from __future__ import annotations

import time

import pytest

from runner.adapters.forge import gitlab_members
from runner.adapters.forge.gitlab import GitLabForge
from runner.adapters.gitlab_asking import Asking
from runner.ports.forge import PersonId
from tests.gitlab.app import Server
from tests.gitlab.conftest import seeded, server
from tests.gitlab.seed import BOT, PROJECT, Seeded
from tests.gitlab.site import Level, User

__all__ = ["seeded", "server"]
PEOPLE = [PersonId(name) for name in ("alice", "bob", "carol", "mallory", BOT)]


def forge(server: Server, seeded: Seeded) -> GitLabForge:
    asking = Asking(server.base, seeded.tokens[BOT])
    return GitLabForge(asking, project=PROJECT, id_="lab", bot=BOT, since=time.monotonic())


def account(server: Server, name: str) -> str:
    found = server.site.named(name)
    assert found is not None
    return str(found.id)


def test_few_members_are_one_request_and_lately_none(
    server: Server, seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = forge(server, seeded)
    bot.me()
    bot.issues()
    alice = server.site.named("alice")
    assert alice is not None
    alice.state = "blocked"
    before = len(server.asked)
    assert bot.members(PEOPLE) == {name: account(server, name) for name in ("bob", "carol")}
    del seeded.project.members[int(account(server, "bob"))]
    assert set(bot.members(PEOPLE, lately=True)) == {"bob", "carol"}
    assert len(server.asked) == before + 1
    monkeypatch.setattr(gitlab_members, "LATELY", 0.0)
    assert set(forge(server, seeded).members(PEOPLE, lately=True)) == {"carol"}
    assert set(bot.members(PEOPLE)) == {"carol"}


def test_of_more_than_a_page_each_person_is_asked_about(server: Server, seeded: Seeded) -> None:
    for number in range(120):
        person = User(id=server.site.number(), username=f"p{number}", name="P")
        server.site.users[person.id] = person
        seeded.project.members[person.id] = Level.GUEST
    bot, names = forge(server, seeded), ("p1", "p119", "carol")
    people = [PersonId(name) for name in (*names, "mallory", "p", BOT)]
    for lately in (False, True):
        assert bot.members(people, lately=lately) == {name: account(server, name) for name in names}
    assert bot.is_member(PersonId("p7"), account=account(server, "p7"))
    assert not bot.is_member(PersonId("p7"), account=account(server, "p8"))
