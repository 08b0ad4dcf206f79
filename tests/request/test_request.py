"""From an issue to requests with keys that never change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from runner.ports.forge import Comment, CommentId, Issue, IssueId, PersonId, Thread
from runner.request.command import BadCommand, commands
from runner.request.request import Asked, requests

NOW = datetime(2026, 11, 23, tzinfo=UTC)
BLOCK = "```runbook\nrunbook: {}\nparameters:\n  days: 7\n```\n"


def comment(at: int, body: str, author: str = "alice@x") -> Comment:
    return Comment(
        id=CommentId(f"7/{at}"), issue=IssueId("7"), author=PersonId(author), body=body, created=NOW, verified=True
    )


def asked(*comments: Comment) -> Asked:
    issue = Issue(id=IssueId("7"), title="t", author=PersonId("alice@x"), created=NOW, open=True)
    return requests(Thread(issue=issue, comments=comments), forge="local", project="p1", bot="runner")


def test_blocks_and_run_commands_are_requests_each_with_its_key() -> None:
    body = f"Please.\n\n{BLOCK.format('a')}\n/runbook run b days=8\n\n{BLOCK.format('c')}\n/runbook status\n"
    found = asked(comment(0, body), comment(3, "@runner run d"))
    assert [(one.runbook, one.parameters, one.key) for one in found.requests] == [
        ("a", {"days": "7"}, "local:p1:7/0:1"),
        ("b", {"days": "8"}, "local:p1:7/0:2"),
        ("c", {"days": "7"}, "local:p1:7/0:3"),
        ("d", {}, "local:p1:7/3:1"),
    ]
    assert found.problems == ()


def test_what_cannot_be_read_is_a_problem_with_a_key_and_does_not_stop_the_rest() -> None:
    found = asked(comment(0, f"/runbook rnu\n\n```runbook\nrunbook: ../x\n```\n\n{BLOCK.format('a')}"))
    assert [(one.runbook, one.key) for one in found.requests] == [("a", "local:p1:7/0:3")]
    assert [one.key for one in found.problems] == ["local:p1:7/0:2"]
    assert all(one.why and one.hint for one in found.problems)


def test_an_edited_comment_never_counts_and_is_told_so_if_it_asked_for_something() -> None:
    words = replace(comment(0, "words"), edited=True)
    request = replace(comment(1, BLOCK.format("a")), edited=True)
    found = asked(words, request)
    assert found.requests == ()
    assert [(one.key, one.comment.id) for one in found.problems] == [("local:p1:7/1:0", "7/1")]
    assert "edited" in found.problems[0].why


def test_the_runners_own_comments_ask_for_nothing() -> None:
    assert asked(replace(comment(1, BLOCK.format("a")), ours=True)) == Asked(requests=(), problems=())


def test_blocks_of_other_kinds_and_places_are_not_requests() -> None:
    text = BLOCK.format("a")
    nested = "- item\n" + "\n".join("  " + line for line in text.split("\n"))
    for body in (
        text.replace("runbook\n", "yaml\n", 1),
        f"````\n{text}````\n",
        f"<!--\n{text}-->",
        "> " + text.replace("\n", "\n> "),
    ):
        assert asked(comment(0, body)) == Asked(requests=(), problems=()), body
    assert len(asked(comment(0, nested)).requests) == 1


def test_a_block_that_is_not_closed_or_lies_in_html_is_answered() -> None:
    for body in ("```runbook\nrunbook: a\n", f"<div>\n{BLOCK.format('a')}</div>"):
        found = asked(comment(0, body))
        assert found.requests == ()
        assert len(found.problems) == 1


def test_too_many_asks_are_one_bad_command_and_no_request() -> None:
    too_many = comment(0, "/runbook run a\n" * 21)
    assert asked(too_many) == Asked(requests=(), problems=())
    (only,) = commands(too_many, bot="runbook")
    assert isinstance(only, BadCommand)
