"""Merge requests: what the contract of all reviews does not say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gitlab
import pytest

from runner.errors import OperatorError, OutsideError
from runner.ports.forge import IssueId, PersonId
from runner.ports.review import Offer, ReviewState, Sought
from tests.gitlab.faults import Fault, Kind
from tests.gitlab.seed import BOT, PROJECT
from tests.gitlab.site import Level, Rule, Tier
from tests.ports.reviews import MARK, GitLab

SOURCE = "runbook/r"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[GitLab]:
    made = GitLab(tmp_path)
    yield made
    made.leave()


def sought(place: GitLab) -> Sought:
    return Sought(source=SOURCE, into="main", since=place.base, mark=MARK)


def offer(place: GitLab, *reviewers: str) -> Offer:
    people = tuple(PersonId(one) for one in reviewers)
    text = "Related to #1\n"
    return Offer(sought=sought(place), title="T", description=text, issue=IssueId("1"), reviewers=people)


def project(place: GitLab, name: str) -> gitlab.v4.objects.Project:
    return gitlab.Gitlab(place.server.base, private_token=place.seeded.tokens[name]).projects.get(PROJECT)


def test_an_answer_that_is_lost_after_the_effect_leads_to_no_second_one(place: GitLab) -> None:
    place.propose(SOURCE)
    place.server.faults.order(Fault(kind=Kind.LOST, method="POST", path="/merge_requests", times=1))
    with pytest.raises(OutsideError):
        place.reviews().offer(offer(place))
    assert place.reviews().offer(offer(place)).id == "!1"
    assert len(place.seeded.project.merge_requests) == 1


def test_members_are_made_reviewers_whoever_else_is_named(place: GitLab) -> None:
    place.propose(SOURCE)
    place.reviews().offer(offer(place, "Carol", "bob", "mallory", "nobody"))
    assert [one.username for one in place.seeded.project.merge_requests[1].reviewers] == ["carol", "bob"]


def test_what_others_open_from_our_branch_is_not_the_review(place: GitLab) -> None:
    place.propose(SOURCE)
    project(place, "carol").mergerequests.create({"source_branch": SOURCE, "target_branch": "main", "title": "Mine"})
    assert place.reviews().find(sought(place)) is None


def test_who_approved_is_told_once_it_is_merged_with_their_accounts(place: GitLab) -> None:
    place.propose(SOURCE)
    place.reviews().offer(offer(place))
    project(place, "carol").mergerequests.get(1).approve()
    project(place, "alice").mergerequests.get(1).approve()
    place.merge(SOURCE, "merge")
    found = place.reviews().find(sought(place))
    assert found
    assert found.approved_by == ("carol", "alice")
    assert found.unmet == ()
    people = {one.username: str(one.id) for one in place.server.site.users.values()}
    assert found.accounts == {name: people[name] for name in ("bob", "carol", "alice")}


def test_on_premium_gitlabs_own_rules_have_to_be_met(place: GitLab) -> None:
    place.server.site.tier = Tier.PREMIUM
    carol = place.server.site.named("carol")
    assert carol
    place.propose(SOURCE)
    place.reviews().offer(offer(place))
    place.merge(SOURCE, "merge")
    # The rule came later, or somebody got around it.
    place.seeded.project.rules[9] = Rule(id=9, name="Zone owners", required=1, users=[carol])
    found = place.reviews().find(sought(place))
    assert found
    assert found.unmet == ("GitLab's own approval rules (Zone owners) still ask for 1 more",)


def test_one_that_was_merged_stays_the_one_whatever_is_opened_after_it(place: GitLab) -> None:
    place.propose(SOURCE)
    place.reviews().offer(offer(place))
    place.merge(SOURCE, "merge")
    place.repository.write(SOURCE, {"x": b"more"}, start="main", message="more", by=("Bob", "bob@x"))
    project(place, BOT).mergerequests.create({"source_branch": SOURCE, "target_branch": "main", "title": "Again"})
    found = place.reviews().find(sought(place))
    assert found
    assert (found.id, found.state) == ("!1", ReviewState.MERGED)


def test_a_runner_that_may_not_says_so(place: GitLab) -> None:
    place.propose(SOURCE)
    bot = place.server.site.named(BOT)
    assert bot
    place.seeded.project.members[bot.id] = Level.REPORTER
    with pytest.raises(OperatorError, match="refused the token"):
        place.reviews().offer(offer(place))
