"""What every forge promises, whoever answers: the contract that the lifecycle rests on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import OutsideError, RequestError
from runner.ports.forge import Comment, CommentId, Forge, IssueId, PersonId
from tests.ports.forges import ALICE, BOB, FORGES, MALLORY, Place


@pytest.fixture(params=FORGES)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    made = FORGES[str(request.param)](tmp_path)
    yield made
    made.close()


@pytest.fixture
def issue(place: Place) -> IssueId:
    """An issue by Alice."""
    return place.person(ALICE).open_issue("Disk is full", "Please clean up.", labels=frozenset({"ops"})).id


def comments(place: Place, issue: IssueId) -> tuple[Comment, ...]:
    """The comments as somebody sees them who just came."""
    return place.person(BOB).thread(issue).comments


def test_its_name_and_project_can_be_part_of_a_request_key(place: Place) -> None:
    forge = place.runner()
    assert forge.name
    assert ":" not in forge.name
    assert forge.project == place.person(ALICE).project != ""


def test_what_one_person_writes_the_other_reads_and_the_author_is_vouched_for(place: Place, issue: IssueId) -> None:
    body = "**Words** in żółw\n\n```runbook\nrunbook: x\n```\n"
    said = place.person(BOB).comment(issue, body)
    thread = place.person(ALICE).thread(issue)
    assert (thread.issue.title, thread.issue.author, thread.issue.open) == (
        "Disk is full",
        place.person(ALICE).me(),
        True,
    )
    assert thread.issue.labels == {"ops"}
    description, comment = thread.comments
    assert (description.body, description.author) == ("Please clean up.", place.person(ALICE).me())
    assert (comment.id, comment.body, comment.author) == (said.id, body, place.person(BOB).me())
    assert all(one.verified and not one.edited and not one.ours for one in thread.comments)


def test_comments_have_ids_of_their_own_in_the_order_of_writing(place: Place, issue: IssueId) -> None:
    for at in range(3):
        place.person((ALICE, BOB)[at % 2]).comment(issue, f"words {at}")
    found = comments(place, issue)
    assert [one.body for one in found[1:]] == [f"words {at}" for at in range(3)]
    assert len({one.id for one in found}) == len(found)
    assert all(one.issue == issue for one in found)
    assert [one.created for one in found] == sorted(one.created for one in found)


def test_an_issue_that_was_just_opened_is_there_for_whoever_looked_a_moment_ago(place: Place, issue: IssueId) -> None:
    reader, writer = place.person(BOB), place.person(BOB)
    reader.thread(issue)
    writer.thread(issue)
    for forge, use in ((reader, reader.thread), (writer, lambda one: writer.comment(one, "words"))):
        opened = place.person(ALICE).open_issue("another", "b").id
        use(opened)
        assert forge.thread(opened).issue.title == "another"


def test_every_time_has_a_zone(place: Place, issue: IssueId) -> None:
    assert all(one.created.tzinfo is not None for one in comments(place, issue))
    assert all(one.created.tzinfo is not None for one in place.runner().issues())


def test_only_the_runners_own_comments_are_ours(place: Place, issue: IssueId) -> None:
    place.runner().comment(issue, "planned")
    found = comments(place, issue)
    assert [(one.ours, one.verified) for one in found] == [(False, True), (True, True)]
    assert found[1].author == place.runner().me() != place.person(ALICE).me()


def test_somebody_who_is_no_member_is_not_vouched_for_as_one(place: Place, issue: IssueId) -> None:
    forge = place.person(MALLORY)
    forge.comment(issue, "/runbook approve 0123456789ab")
    said = comments(place, issue)[-1]
    assert not (said.verified and place.runner().is_member(said.author))


def test_members_are_told_from_strangers_and_the_runner_is_none(place: Place) -> None:
    forge = place.runner()
    assert forge.is_member(place.person(ALICE).me())
    assert forge.is_member(place.person(BOB).me())
    assert not forge.is_member(PersonId("nobody@x"))
    assert not forge.is_member(forge.me())


def test_an_account_is_one_persons_and_goes_with_the_name_that_it_has_now(place: Place, issue: IssueId) -> None:
    place.person(BOB).comment(issue, "one")
    place.person(BOB).comment(issue, "two")
    description, one, two = comments(place, issue)
    assert one.account == two.account
    assert not one.account or one.account != description.account
    runner = place.runner()
    assert runner.is_member(one.author, account=one.account)
    assert not runner.is_member(one.author, account=f"{one.account}1")
    assert not runner.is_member(one.author, account=description.account or "1")


def test_a_file_is_shown_by_its_address_where_comments_are_rendered_and_nowhere_else(place: Place) -> None:
    forge = place.runner()
    address = forge.attach("plot-1.png", b"\x89PNG\r\n\x1a\n")
    assert bool(address) is forge.renders
    assert forge.attach("plot-1.png", b"\x89PNG\r\n\x1a\n") == address
    assert not forge.renders or forge.attach("plot-2.png", b"other") != address


def test_issues_are_listed_oldest_first_and_closed_ones_only_on_demand(place: Place) -> None:
    forge = place.person(ALICE)
    first, second, third = (forge.open_issue(title, "b").id for title in "abc")
    forge.close(second)
    reader = place.person(BOB)
    assert [one.id for one in reader.issues()] == [first, third]
    assert [(one.id, one.open) for one in reader.issues(only_open=False)] == [
        (first, True),
        (second, False),
        (third, True),
    ]


def test_closing_reopening_and_labelling_twice_is_the_same_as_once(place: Place, issue: IssueId) -> None:
    forge = place.person(ALICE)
    for _ in range(2):
        forge.close(issue)
    assert not place.person(BOB).thread(issue).issue.open
    for _ in range(2):
        forge.reopen(issue)
        forge.label(issue, add=frozenset({"a", "b"}), remove=frozenset({"ops", "never there"}))
    forge.label(issue, add=frozenset(), remove=frozenset({"b"}))
    now = place.person(BOB).thread(issue).issue
    assert now.open
    assert now.labels == {"a"}
    assert len(comments(place, issue)) == 1


def test_only_its_author_edits_a_comment_and_it_stays_marked(place: Place, issue: IssueId) -> None:
    alice, bob, runner = place.person(ALICE), place.person(BOB), place.runner()
    said, status = alice.comment(issue, "first"), runner.comment(issue, "running")
    alice.edit(said, "second")
    runner.edit(status, "done")
    for other in (bob, runner):
        with pytest.raises(RequestError, match="not one of yours"):
            other.edit(said, "third")
    assert [(one.id, one.body, one.edited, one.ours) for one in comments(place, issue)[1:]] == [
        (said.id, "second", True, False),
        (status.id, "done", True, True),
    ]


def test_an_edit_that_changes_nothing_is_none(place: Place, issue: IssueId) -> None:
    status = place.runner().comment(issue, "running")
    place.runner().edit(status, "running")
    assert comments(place, issue)[1] == status


def test_a_marked_comment_is_added_once_however_often_it_is_said(place: Place, issue: IssueId) -> None:
    marker = "<!-- runbook:plan 1 -->"
    first = place.runner().comment(issue, f"the plan\n\n{marker}", unless=marker)
    again = place.runner().comment(issue, f"the plan, said again\n\n{marker}", unless=marker)
    assert again == first
    assert len(comments(place, issue)) == 2
    assert place.runner().comment(issue, "another", unless="<!-- runbook:plan 2 -->").id != first.id


def test_what_is_said_together_reads_afterwards_as_if_it_had_been_said_one_by_one(place: Place, issue: IssueId) -> None:
    runner, marker = place.runner(), "<!-- runbook:plan 1 -->"
    old = runner.comment(issue, "status: begins")
    for _ in range(2):
        with runner.together():
            runner.comment(issue, f"the plan\n\n{marker}", unless=marker)
            runner.label(issue, add=frozenset({"planned"}), remove=frozenset({"ops"}))
            runner.edit(old, "status: goes on")
            opened = runner.open_issue("another", "b").id
            assert place.person(BOB).thread(opened)
            runner.close(issue)
    thread = place.person(BOB).thread(issue)
    assert [one.body.strip() for one in thread.comments[1:]] == ["status: goes on", f"the plan\n\n{marker}"]
    assert thread.issue.labels == {"planned"}
    assert not thread.issue.open


def test_somebody_else_who_copies_the_marker_does_not_keep_us_from_speaking(place: Place, issue: IssueId) -> None:
    marker = "<!-- runbook:plan 1 -->"
    place.person(BOB).comment(issue, f"not the plan {marker}")
    assert place.runner().comment(issue, f"the plan {marker}", unless=marker).ours


@pytest.mark.parametrize("unknown", ["0", "2", "-1", "00001x", "x", "", "1/0", "\u0661", "9" * 30])
def test_an_unknown_issue_is_the_requesters_error(place: Place, issue: IssueId, unknown: str) -> None:
    assert issue != unknown
    forge = place.person(ALICE)
    with pytest.raises(RequestError, match="no issue"):
        forge.thread(IssueId(unknown))
    with pytest.raises(RequestError, match="no issue"):
        forge.comment(IssueId(unknown), "words")


@pytest.mark.parametrize("body", ["x" * 2_000_000, "\ud800", " \n"], ids=["long", "half a character", "empty"])
def test_a_comment_that_cannot_be_kept_is_refused_and_nothing_is_written(
    place: Place, issue: IssueId, body: str
) -> None:
    with pytest.raises(RequestError):
        place.person(ALICE).comment(issue, body)
    assert len(comments(place, issue)) == 1


def test_while_it_does_not_answer_everything_says_so_and_nothing_is_half_done(place: Place, issue: IssueId) -> None:
    forge = place.person(ALICE)
    tries: tuple[Callable[[Forge], object], ...] = (
        lambda one: one.issues(),
        lambda one: one.thread(issue),
        lambda one: one.comment(issue, "words"),
        lambda one: one.close(issue),
        lambda one: one.open_issue("t", "b"),
    )
    with place.away():
        for ask in tries:
            with pytest.raises(OutsideError):
                ask(forge)
    assert len(comments(place, issue)) == 1
    assert place.person(BOB).thread(issue).issue.open
    said = forge.comment(issue, "words")
    assert comments(place, issue)[-1].id == said.id


def test_a_link_names_the_commit_and_the_file(place: Place) -> None:
    link = place.runner().link(commit="a" * 40, path="outputs/runs/x.md")
    assert "a" * 12 in link
    assert "outputs/runs/x.md" in link


def test_an_issue_is_assigned_once_and_never_again_once_somebody_was_assigned(place: Place, issue: IssueId) -> None:
    runner, bob = place.runner(), place.person(BOB).me()
    if place.runner().thread(issue).assigned:
        runner.assign(issue, bob)  # this forge has no assignees: nothing happens
        assert runner.people(bob) == ()
        assert runner.load([bob]) == {bob: 0}
        return
    assert runner.people(f"@{bob}") == (bob,)
    assert runner.people("nobody-at-all") == runner.people("@") == runner.people("../groups/1") == ()
    assert runner.people(runner.me()) == (), "the runner itself looks after nothing"
    assert runner.load([bob]) == {bob: 0}
    for person in (bob, place.person(ALICE).me()):
        runner.assign(issue, person)
    assert place.runner().load([bob, place.person(ALICE).me()]) == {bob: 1, place.person(ALICE).me(): 0}
    assert runner.load([bob]) == {bob: 1}, "also for whoever counted before"
    assert place.runner().thread(issue).assigned
    with pytest.raises(RequestError, match="no member"):
        runner.assign(issue, PersonId("nobody-at-all"))


def test_issues_are_linked_once_however_often_and_unknown_ones_are_left_out(place: Place, issue: IssueId) -> None:
    runner = place.runner()
    other = place.person(ALICE).open_issue("another", "b").id
    for _ in range(2):
        assert runner.relate(issue, [other, issue, IssueId("999999")]) == {other}
    assert place.runner().relate(other, [issue]) == {issue}, "from the other side it is linked already"
    assert runner.relate(issue, []) == frozenset()


def test_a_forge_that_keeps_freeze_periods_tells_all_of_them_and_says_so_while_it_cannot(place: Place) -> None:
    if place.freeze("0 23 * * 5", "0 7 * * 1", "Europe/Berlin"):
        (found,) = place.runner().freezes()
        assert (found.start, found.end, found.zone) == ("0 23 * * 5", "0 7 * * 1", "Europe/Berlin")
        forge = place.runner()
        forge.freezes()
        with place.away():
            assert forge.freezes() == (found,), "what was read a moment ago is good enough to look at"
            with pytest.raises(OutsideError):
                forge.freezes(fresh=True)
    else:
        assert place.runner().freezes(fresh=True) == ()


def test_a_comment_that_is_not_there_cannot_be_edited(place: Place, issue: IssueId) -> None:
    said = place.runner().comment(issue, "words")
    with pytest.raises(RequestError):
        place.runner().edit(replace(said, id=CommentId(f"{issue}/999")), "other")
