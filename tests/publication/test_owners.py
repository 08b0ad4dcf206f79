"""Whom a change is shown to: owners of its files, or whom policy lets approve."""

from __future__ import annotations

import pytest

from runner.approval.policy import read
from runner.plan.plan import Proposed
from runner.publication.owners import MOST, reviewers
from tests.builders import A_PROPOSAL, a_proposing_plan

POLICY = """
[groups]
dba = ["eve@example.org", "bob@example.org", "alice@example.org", "runbook"]
[[rule]]
name = "all"
request = ["*"]
approve = {count = 1, from = ["@dba"]}
"""


def asked(owners: str | None, *paths: str, place: str = "CODEOWNERS") -> tuple[str, ...]:
    from msgspec.structs import replace

    files = tuple(Proposed(path=path, before=None, after=None, size=0) for path in paths or ("infra/a.txt",))
    plan = a_proposing_plan(proposal=replace(A_PROPOSAL, files=files))
    return reviewers(plan, read={place: owners}.get, policy=read(POLICY), bot="runbook")


def test_owners_of_the_files_are_asked_and_neither_the_requester_nor_the_runner() -> None:
    text = "* @everybody\n/infra/ @dora @alice@example.org @runbook @group/team someone@example.org @Bob\n"
    assert asked(text) == ("dora", "Bob")


def test_without_owners_policys_approvers_are_asked() -> None:
    for text in (None, "", "/other/ @dora\n", "/infra/ @group/team\n"):
        assert asked(text) == ("bob@example.org", "eve@example.org")


def test_each_section_has_its_own_owners_and_default_ones() -> None:
    text = "[Net]\n/infra/ @dora\n^[Ops][2] @olga @otto\n/infra/*.txt\n/infra/b.txt @ben\n[Docs] @don\n*.md\n"
    assert asked(text) == ("olga", "otto", "dora")
    assert asked(text, "infra/b.txt") == ("ben", "dora")
    assert asked(text, "x.md") == ("don",)


def test_the_first_place_that_gitlab_looks_at_counts_and_roles_name_nobody() -> None:
    assert asked("* @dora\n", place=".gitlab/CODEOWNERS") == ("dora",)
    assert asked("* @@maintainer\n") == ("bob@example.org", "eve@example.org")


@pytest.mark.parametrize("text", ["* [\n", "[a\n\n[[[b @x\n", "\x00", "* @" + "x" * 300_000])
def test_a_file_that_cannot_be_read_asks_nobody_by_it(text: str) -> None:
    assert asked(text)[-2:] == ("bob@example.org", "eve@example.org")


def test_no_more_than_a_few_people_are_asked() -> None:
    assert len(asked("* " + " ".join(f"@p{number}" for number in range(20)))) == MOST
