"""What is on an issue at GitLab and is not what it seems: swallowed, edited, deleted, renamed, huge, or nobody's."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from runner.approval.approval import still_said
from runner.approval.collect import commands_of
from runner.errors import OperatorError, RequestError
from runner.ports.forge import CommentId, IssueId, PersonId
from runner.publication import comments
from runner.request.command import BadCommand, Command
from runner.request.request import requests
from tests.adapters.forge.test_gitlab import forge
from tests.builders import a_yes
from tests.gitlab.api import notes
from tests.gitlab.app import Server
from tests.gitlab.clients import project_as
from tests.gitlab.conftest import seeded, server
from tests.gitlab.quick_actions import NAMES
from tests.gitlab.seed import BOT, Seeded
from tests.gitlab.site import Note, User
from tests.publication.test_comments import everything, outside

__all__ = ["seeded", "server"]


@pytest.fixture
def issue(server: Server, seeded: Seeded) -> IssueId:
    made = project_as(server, seeded, "alice").issues.create({"title": "x", "description": "words"})
    return IssueId(str(made.iid))


def user(server: Server, name: str) -> User:
    found = server.site.named(name)
    assert found
    return found


def test_nothing_that_we_say_is_taken_for_a_quick_action_or_mentions_anybody(
    server: Server, seeded: Seeded, issue: IssueId
) -> None:
    if not NAMES.exists():
        pytest.skip("machine: the list of quick actions lies in the shared folder, which is not here")
    names = json.loads(NAMES.read_text(encoding="utf-8"))["names"]
    evil = "\n".join(f"/{name} @all @bob ~bug" for name in names) + "\n```\n/close\n~~~\n/assign @bob\r/close\r\n/close"
    seen = seeded.project.issues[int(issue)]
    before = (seen.state, seen.labels, seen.assignees, seen.confidential, seen.title, seen.due)
    bot = forge(server, seeded)
    for body in everything(evil):
        bot.comment(issue, body)
        assert seen.notes[-1].body == body, "GitLab took nothing out of it"
        assert "@" not in outside(body)
    assert (seen.state, seen.labels, seen.assignees, seen.confidential, seen.title, seen.due) == before


def test_a_comment_of_quick_actions_alone_is_not_there_for_anybody(
    server: Server, seeded: Seeded, issue: IssueId
) -> None:
    place = project_as(server, seeded, "bob").issues.get(int(issue))
    place.notes.create({"body": "/label ~ops"})
    place.notes.create({"body": "/label ~ops\n/runbook help"})
    thread = forge(server, seeded).thread(issue)
    assert [one.body for one in thread.comments[1:]] == ["/runbook help"]
    assert [type(one) for one in commands_of(thread, bot=BOT)] == [Command]


def test_the_runner_hears_nothing_from_itself_and_an_heir_of_its_name_is_not_the_runner(
    server: Server, seeded: Seeded, issue: IssueId
) -> None:
    bot = forge(server, seeded)
    bot.me()
    bot.comment(issue, "/runbook run count")
    thread = bot.thread(issue)
    assert thread.comments[-1].ours
    assert commands_of(thread, bot=BOT) == ()
    assert requests(thread, forge="gitlab", project="p", bot=BOT).requests == ()
    old = user(server, BOT)
    heir = User(id=server.site.number(), username=BOT, name="heir")
    old.username, server.site.users[heir.id] = "project_bot_old", heir
    now = server.site.clock()
    seeded.project.issues[int(issue)].notes.append(
        Note(id=server.site.number(), body="plan\n\n<!-- runbook:x:plan:1 -->", author=heir, created=now, updated=now)
    )
    assert not bot.thread(issue, fresh=True).comments[-1].ours


def test_a_yes_that_was_edited_or_deleted_since_is_none_when_it_is_read_afresh(
    server: Server, seeded: Seeded, issue: IssueId
) -> None:
    bot, place = forge(server, seeded), project_as(server, seeded, "bob").issues.get(int(issue))
    said = [place.notes.create({"body": "/runbook approve 0123456789ab"}) for _ in range(3)]
    thread = bot.thread(issue)
    given = [
        a_yes("bob", number=at, comment=CommentId(f"{issue}/{one.id}"), account=thread.comments[at].account)
        for at, one in enumerate(said, start=1)
    ]
    assert [one.fault for one in still_said(given, thread)] == ["", "", ""]
    said[0].body = "/runbook approve 0123456789ab, if you have looked"
    said[0].save()
    said[1].delete()
    faults = [one.fault for one in still_said(given, bot.thread(issue, fresh=True))]
    assert faults == ["its comment was edited", "its comment was deleted", ""]


def test_whoever_takes_over_a_name_inherits_no_yes_and_no_membership(
    server: Server, seeded: Seeded, issue: IssueId
) -> None:
    bot, bob = forge(server, seeded), user(server, "bob")
    forge(server, seeded, "bob").comment(issue, "/runbook approve 0123456789ab")
    (said,) = bot.thread(issue).comments[1:]
    yes = a_yes("bob", comment=said.id, account=said.account)
    mallory = user(server, "mallory")
    bob.username, mallory.username = "robert", "bob"
    seeded.project.members[mallory.id] = seeded.project.members[bob.id]
    (found,) = still_said([yes], bot.thread(issue, fresh=True))
    assert found.fault == "its author is called robert now"
    assert bot.is_member(PersonId("bob"))
    assert not bot.is_member(PersonId("bob"), account=said.account)


MANY = 1_000
"""What `MOST` is in the test: the stand-in answers as with 5,000, and not a minute is spent on checking its rows."""


def test_an_issue_that_is_full_is_read_whole_and_takes_no_more(
    server: Server, seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "MOST", MANY)
    issue = forge(server, seeded, "alice").open_issue("x", "words").id
    place, bob, now = seeded.project.issues[int(issue)], user(server, "bob"), server.site.clock()
    for number in range(MANY):
        when = now + timedelta(seconds=number)
        one = Note(id=server.site.number(), body=f"note {number}", author=bob, created=when, updated=when)
        place.notes.append(one)
    bot = forge(server, seeded)
    assert [one.body for one in bot.thread(issue).comments[1:]] == [f"note {number}" for number in range(MANY)]
    with pytest.raises(RequestError, match="Maximum number of comments"):
        bot.comment(issue, "one more")


def test_a_comment_of_a_million_characters_is_read_like_any_other(
    server: Server, seeded: Seeded, issue: IssueId
) -> None:
    alice = forge(server, seeded, "alice")
    fillers = ("`", "<div>", "word\n", "/runbook x\n", "```runbook\n", "@")
    for filler in fillers:
        body = (filler * 1_000_000)[:999_980]
        alice.comment(issue, f"{body}\n\n/runbook help")
    thread = forge(server, seeded).thread(issue)
    assert len(thread.comments) == 1 + len(fillers)
    assert {type(one) for one in commands_of(thread, bot=BOT)} == {Command, BadCommand}
    requests(thread, forge="gitlab", project="p", bot=BOT)
    assert comments.LARGEST < 100_000, "ours stay far below"


def test_a_project_that_is_not_shown_any_more_is_the_operators(server: Server, seeded: Seeded, issue: IssueId) -> None:
    bot = forge(server, seeded)
    assert bot.thread(issue)
    del seeded.project.members[user(server, BOT).id]
    with pytest.raises(OperatorError, match="404"):
        bot.issues()


def test_a_moved_issue_is_a_closed_one(server: Server, seeded: Seeded, issue: IssueId) -> None:
    place = seeded.project.issues[int(issue)]
    place.state, place.moved_to = "closed", 4711
    assert not forge(server, seeded).thread(issue).issue.open
    assert forge(server, seeded).issues() == []
