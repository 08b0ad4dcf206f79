from __future__ import annotations

import json

from .conftest import Lived, Typed


def test_what_it_prints_is_a_request_that_is_understood_once_the_values_are_filled_in(typed: Typed) -> None:
    said = typed("bob", "form", "count")
    assert said.code == 0
    assert "```runbook\nrunbook: count\n" in said.out
    assert "folder" in said.out
    assert "where its traces go" in said.out


def test_a_script_gets_the_text_and_the_schema(typed: Typed) -> None:
    said = json.loads(typed("bob", "form", "count", "--json").out)
    assert set(said) == {"runbook", "text", "schema"}
    assert said["schema"]["required"] == ["folder"]
    assert said["text"].rstrip("\n") == typed("bob", "form", "count").out.rstrip("\n")


def test_at_another_commit_the_form_is_that_commits(lived: Lived, typed: Typed) -> None:
    del lived
    assert typed("bob", "form", "count", "--at", "origin/main~0").code == 0
    said = typed("bob", "form", "count", "--at", "nowhere")
    assert said.code == 2
    assert "no such commit" in said.err


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(typed: Typed) -> None:
    said = typed("bob", "form", "coumt")
    assert (said.code, said.out) == (2, "")
    assert "Did you mean count" in said.err
