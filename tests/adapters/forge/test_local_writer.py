"""Who writes: the person whom Git names, or the runner."""

from __future__ import annotations

import pytest

from runner.adapters.forge.local import LocalForge
from runner.errors import OperatorError
from runner.ports.forge import IssueId
from tests.adapters.forge.site import NOW, Site, git


def test_who_am_i_is_asked_of_git(site: Site) -> None:
    assert site.forge("alice@x").me() == "alice@x"
    assert site.forge("bot").me() == "bot"
    clone = site.clone("nobody@x")
    git(clone, "config", "--unset", "user.email")
    with pytest.raises(OperatorError, match=r"user\.email") as caught:
        site.forge("nobody@x").me()
    assert "git config user.email" in caught.value.hint
    git(clone, "config", "user.email", "bot")
    with pytest.raises(OperatorError, match="runner's own name"):
        site.forge("nobody@x").comment(IssueId("1"), "x")


def test_commits_are_in_the_name_of_whoever_writes(site: Site) -> None:
    issue = site.forge("alice@x").open_issue("t", "b").id
    site.forge("bot").comment(issue, "words")
    assert git(site.remote, "log", "--format=%an <%ae>", "issues").splitlines() == [
        "bot <bot@p1.invalid>",
        "Alice <alice@x>",
    ]


def test_a_person_without_a_name_writes_under_the_address(site: Site) -> None:
    git(site.clone("alice@x"), "config", "--unset", "user.name")
    site.forge("alice@x").open_issue("t", "b")
    assert git(site.remote, "log", "-1", "--format=%an", "issues") == "alice@x"


def test_no_key_is_asked_for_as_long_as_nothing_is_written(site: Site) -> None:
    def never() -> None:
        raise AssertionError

    forge = LocalForge.for_person(
        site.objects("alice@x"), project="p1", branch="issues", signers=site.signers, bot="bot", bot_keys=(),
        now=lambda: NOW, signer=never,
    )  # fmt: skip
    assert forge.issues() == []
    assert forge.me() == "alice@x"
    with pytest.raises(AssertionError):
        forge.open_issue("t", "b")
