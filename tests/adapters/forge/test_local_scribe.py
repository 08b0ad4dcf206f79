"""Several entries in one step: judged one after the other, numbered anew after a lost race, never doubled."""

from __future__ import annotations

import pytest

from runner.errors import OutsideError, RequestError
from runner.ports.forge import Forge, IssueId
from tests.adapters.forge.site import Site, git

MARKER = "<!-- runbook:plan 1 -->"


def pushes(site: Site) -> int:
    return int(git(site.remote, "rev-list", "--count", "issues"))


def _stopped(forge: Forge, issue: IssueId, *, by: BaseException) -> None:
    with forge.together():
        forge.comment(issue, "before")
        raise by


def say_it_all(forge: Forge, issue: IssueId) -> None:
    with forge.together():
        forge.comment(issue, f"the plan\n\n{MARKER}", unless=MARKER)
        forge.label(issue, add=frozenset({"planned"}), remove=frozenset({"asked"}))
        forge.comment(issue, "status")
        forge.close(issue)


def test_what_is_said_together_is_one_commit_in_the_order_in_which_it_was_said(site: Site) -> None:
    issue = site.forge("alice@x").open_issue("t", "b", labels=frozenset({"asked"})).id
    say_it_all(site.forge("bot"), issue)
    assert pushes(site) == 2
    subject = git(site.remote, "log", "-1", "--format=%s", "issues")
    assert subject == "Remark 1/1, Label 1/2, Remark 1/3, Close 1/4"
    thread = site.forge("bob@x").thread(issue)
    assert thread.issue.labels == {"planned"}
    assert not thread.issue.open
    assert [one.id for one in thread.comments] == ["1/0", "1/1", "1/3"]
    assert all(one.verified for one in thread.comments)


def test_saying_it_all_again_says_only_what_is_not_there_yet(site: Site) -> None:
    issue = site.forge("alice@x").open_issue("t", "b").id
    say_it_all(site.forge("bot"), issue)
    say_it_all(site.forge("bot"), issue)
    thread = site.forge("bob@x").thread(issue)
    assert [one.body for one in thread.comments] == ["b", f"the plan\n\n{MARKER}", "status", "status"]


def test_a_comment_said_twice_inside_with_one_marker_is_said_once(site: Site) -> None:
    issue = site.forge("alice@x").open_issue("t", "b").id
    bot = site.forge("bot")
    with bot.together():
        for _ in range(2):
            bot.comment(issue, f"the plan {MARKER}", unless=MARKER)
    assert len(site.forge("bob@x").thread(issue).comments) == 2


def test_whoever_comes_second_numbers_all_of_it_again_and_finds_what_the_first_said(site: Site) -> None:
    issue = site.forge("alice@x").open_issue("t", "b").id
    slow, quick = site.forge("bot"), site.forge("bot")
    slow.thread(issue)
    quick.comment(issue, f"the plan {MARKER}", unless=MARKER)
    say_it_all(slow, issue)
    thread = site.forge("bob@x").thread(issue)
    assert [one.body for one in thread.comments] == ["b", f"the plan {MARKER}", "status"]
    assert not thread.issue.open


def test_entries_of_several_issues_go_out_in_the_same_step(site: Site) -> None:
    alice = site.forge("alice@x")
    issues = [alice.open_issue(title, "b").id for title in ("one", "two")]
    bot = site.forge("bot")
    with bot.together():
        for issue in issues:
            bot.comment(issue, f"words for {issue}")
    assert pushes(site) == 3
    assert [site.forge("bob@x").thread(one).comments[1].body for one in issues] == ["words for 1", "words for 2"]
    assert "Runbook-Issue: 1\nRunbook-Issue: 2" in git(site.remote, "log", "-1", "--format=%B", "issues")


def test_one_that_cannot_be_written_is_told_and_keeps_the_others_from_nothing(site: Site) -> None:
    alice = site.forge("alice@x")
    issue = alice.open_issue("t", "b").id
    theirs = alice.comment(issue, "mine")
    bot = site.forge("bot")

    def speak() -> None:
        with bot.together():
            bot.comment(issue, "before")
            bot.edit(theirs, "other words")
            bot.comment(issue, "after")

    with pytest.raises(RequestError, match="not one of yours"):
        speak()
    assert [one.body for one in site.forge("bob@x").thread(issue).comments[1:]] == ["mine", "before", "after"]


def test_an_error_inside_leaves_what_was_said_before_it_and_the_forge_as_it_was(site: Site) -> None:
    issue = site.forge("alice@x").open_issue("t", "b").id
    bot = site.forge("bot")
    with pytest.raises(OutsideError):
        _stopped(bot, issue, by=OutsideError("asking", "no answer"))
    assert bot.comment(issue, "later").id == "1/2"


def test_whoever_is_stopped_inside_says_nothing_more(site: Site) -> None:
    issue = site.forge("alice@x").open_issue("t", "b").id
    bot = site.forge("bot")
    with pytest.raises(KeyboardInterrupt):
        _stopped(bot, issue, by=KeyboardInterrupt())
    assert len(bot.thread(issue).comments) == 1


def test_nothing_said_is_nothing_written(site: Site) -> None:
    site.forge("alice@x").open_issue("t", "b")
    with site.forge("bot").together():
        pass
    assert pushes(site) == 1
