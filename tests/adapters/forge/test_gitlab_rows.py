"""GitLab's rows in the words of the port."""

from __future__ import annotations

import pytest

from runner.adapters.forge import gitlab_rows as rows
from runner.errors import RequestError
from runner.ports.forge import IssueId

NOTE = {
    "id": 7,
    "author": {"username": "alice", "id": 17},
    "body": "words",
    "created_at": "2026-11-23T02:30:00.123Z",
    "updated_at": "2026-11-23T02:30:00.123Z",
}


def test_a_note_is_a_comment_that_gitlab_vouches_for() -> None:
    said = rows.comment(IssueId("3"), NOTE, bot="runner")
    assert (said.id, said.issue, said.author, said.verified, said.edited, said.ours) == (
        "3/7",
        "3",
        "alice",
        True,
        False,
        False,
    )
    assert said.created.tzinfo is not None


def test_a_note_that_was_changed_is_edited_and_the_runners_is_ours() -> None:
    changed = rows.comment(IssueId("3"), {**NOTE, "updated_at": "2026-11-23T02:30:01.000Z"}, bot="alice")
    assert (changed.edited, changed.ours) == (True, True)


def test_an_issue_without_a_description_has_an_empty_one() -> None:
    row = {
        "iid": 3,
        "author": {"username": "alice", "id": 17},
        "description": None,
        "created_at": "2026-11-23T02:30:00Z",
    }
    assert rows.description(row, bot="runner", edited=False).body == ""


@pytest.mark.parametrize("text", ["0", "01", "-1", "x", "", "1/0", "\u0661", "9" * 30])
def test_what_is_no_number_names_no_issue(text: str) -> None:
    with pytest.raises(RequestError, match="no issue"):
        rows.number(text)


def test_a_text_that_gitlab_cannot_keep_is_refused() -> None:
    for text in (" \n", "x" * (rows.LONGEST + 1), "\ud800"):
        with pytest.raises(RequestError):
            rows.kept(text, "writing")
    assert rows.kept("", "opening", empty=True) == ""
    assert rows.kept("x" * rows.LONGEST, "writing")
