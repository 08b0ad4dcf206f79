"""Who is assigned to an issue at GitLab, and whom a name means there."""

from __future__ import annotations

import pytest

from runner.adapters.forge.gitlab_people import was_assigned
from runner.errors import RequestError
from runner.ports.forge import IssueId, PersonId
from tests.adapters.forge.test_gitlab import forge
from tests.gitlab.app import Server
from tests.gitlab.clients import project_as
from tests.gitlab.conftest import seeded, server
from tests.gitlab.seed import BOT, Seeded
from tests.gitlab.site import Group, Level

__all__ = ["seeded", "server"]


def people(*names: str) -> tuple[PersonId, ...]:
    return tuple(map(PersonId, names))


def test_a_name_is_a_member_or_a_group_of_members(server: Server, seeded: Seeded) -> None:
    bot = forge(server, seeded)
    assert bot.people("@ALICE") == people("alice"), "GitLab takes upper and lower case for the same"
    assert bot.people("mallory") == (), "no member"
    assert bot.people("ali") == (), "a part of a name is none"
    assert bot.people("@ops") == people("carol")
    hidden = Group(id=server.site.number(), path="ops/secret", members={seeded.project.id: Level.OWNER})
    server.site.groups[hidden.id] = hidden
    assert bot.people("ops/secret") == bot.people("ops/none") == ()


def test_of_a_group_only_members_of_the_project_who_can_read_issues_are_meant(server: Server, seeded: Seeded) -> None:
    names = {name: server.site.named(name) for name in ("alice", "bob", "dave", "mallory", BOT)}
    members = {person.id: Level.DEVELOPER for person in names.values() if person}
    assert seeded.project.group is not None
    seeded.project.group.members = members
    alice, dave = names["alice"], names["dave"]
    assert alice
    assert dave
    alice.state = "blocked"
    seeded.project.members[dave.id] = members[dave.id] = Level.MINIMAL
    assert forge(server, seeded).people("ops") == people("bob", "mallory")


def test_closed_issues_are_no_load_and_a_listing_is_not_made_twice(server: Server, seeded: Seeded) -> None:
    alice = server.site.named("alice")
    assert alice
    project = project_as(server, seeded, "bob")
    for _ in range(3):
        made = project.issues.create({"title": "x", "assignee_ids": [alice.id]})
    made.state_event = "close"
    made.save()
    bot = forge(server, seeded)
    assert bot.load(people("alice", "bob")) == {"alice": 2, "bob": 0}
    bot.issues(only_open=False)
    asked = len(server.asked)
    assert bot.load(people("alice", "bob")) == {"alice": 2, "bob": 0}
    assert len(server.asked) == asked


def test_whoever_was_assigned_and_taken_off_again_was_assigned(server: Server, seeded: Seeded) -> None:
    bot = forge(server, seeded)
    issue = project_as(server, seeded, "bob").issues.create({"title": "x", "description": "assigned to nobody"})
    issue.notes.create({"body": "assigned to @alice, I say"})
    number = IssueId(str(issue.iid))
    assert not bot.thread(number).assigned, "words of people are no change"
    bot.assign(number, PersonId("carol"))
    issue.assignee_ids = []
    issue.save()
    assert bot.thread(number).assigned


def test_whoever_came_first_stays(server: Server, seeded: Seeded) -> None:
    bot = forge(server, seeded)
    issue = project_as(server, seeded, "bob").issues.create({"title": "x"})
    bot.thread(IssueId(str(issue.iid)))
    alice = server.site.named("alice")
    assert alice
    issue.assignee_ids = [alice.id]
    issue.save()
    bot.assign(IssueId(str(issue.iid)), PersonId("carol"))
    assert [one.username for one in seeded.project.issues[issue.iid].assignees] == ["alice"]


@pytest.mark.parametrize("body", ["assigned to @a", "unassigned @a", "reassigned to @a", "removed assignee"])
def test_every_word_of_gitlab_about_assignees_counts(body: str) -> None:
    class Note:
        system = True

        def __init__(self) -> None:
            self.body = body

    assert was_assigned({"assignees": []}, [Note()])
    assert was_assigned({"assignees": [{"username": "a"}]}, [])
    assert not was_assigned({"assignees": []}, [])


def test_whoever_has_left_since_another_look_is_assigned_to_nothing(server: Server, seeded: Seeded) -> None:
    issue = forge(server, seeded, "alice").open_issue("x", "words").id
    bob = server.site.named("bob")
    assert bob
    assert forge(server, seeded).people("bob") == people("bob")
    del seeded.project.members[bob.id]
    with pytest.raises(RequestError, match="no member"):
        forge(server, seeded).assign(issue, PersonId("bob"))
    assert seeded.project.issues[int(issue)].assignees == []


def test_nobody_comes_to_read_a_confidential_issue_by_being_assigned(server: Server, seeded: Seeded) -> None:
    made = project_as(server, seeded, "bob").issues.create({"title": "hush", "confidential": True})
    alice = server.site.named("alice")
    assert alice
    seeded.project.members[alice.id] = Level.GUEST
    bot = forge(server, seeded)
    with pytest.raises(RequestError, match="may not read it"):
        bot.assign(IssueId(str(made.iid)), PersonId("alice"))
    bot.assign(IssueId(str(made.iid)), PersonId("carol"))
    assert [one.username for one in seeded.project.issues[made.iid].assignees] == ["carol"]
