from __future__ import annotations

import json

from .conftest import Lived, Typed


def test_what_changed_on_a_target_and_nothing_else(lived: Lived, typed: Typed) -> None:
    (row,) = json.loads(typed("bob", "changes", "--target", "lab/web-2", "--json").out)
    assert (row["run"], row["outcome"], row["rollback"]) == (lived.bad, "failed", "complete")
    assert row["changed"] == "yes"
    assert (row["requester"], row["approvers"]) == ("alice@example.org", ["bob@example.org"])
    assert json.loads(typed("bob", "changes", "--target", "lab/[web-3]", "--json").out) == []


def test_only_since_then(typed: Typed) -> None:
    assert len(json.loads(typed("bob", "changes", "-t", "lab/web-1", "--since", "1h", "--json").out)) == 1
    assert json.loads(typed("bob", "changes", "-t", "lab/web-1", "--since", "2100-01-01", "--json").out) == []


def test_a_person_sees_who_did_it_and_what_came_of_it_on_a_narrow_terminal(lived: Lived, typed: Typed) -> None:
    out = typed("bob", "changes", "-t", "lab/web-2", columns=80).out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert {lived.bad, "failed", "complete", "alice@example.org", "bob@example.org"} <= set(out.split())


def test_a_target_that_nothing_touched_says_so(typed: Typed) -> None:
    assert typed("bob", "changes", "-t", "lab/none").out == "changes on lab/none: nothing\n"


def test_without_a_target_the_mistake_is_told(typed: Typed) -> None:
    said = typed("bob", "changes")
    assert said.code == 2
    assert "--target" in said.err
