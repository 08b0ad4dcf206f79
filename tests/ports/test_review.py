"""What every place of reviews promises: one review for each change, how it stands, who merged as far as provable."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.errors import OutsideError
from runner.ports.forge import IssueId
from runner.ports.review import Offer, ReviewState, Sought
from tests.ports.reviews import MARK, NEW, PLACES, WAYS, Place

SOURCE = "runbook/20261123T023028Z-a-00000000"


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    made = PLACES[str(request.param)](tmp_path)
    yield made
    made.leave()


def sought(place: Place) -> Sought:
    return Sought(source=SOURCE, into="main", since=place.base, mark=MARK)


def offer(place: Place) -> Offer:
    return Offer(sought=sought(place), title="Runbook a: b", description="Related to #1\n", issue=IssueId("1"))


def put_up(place: Place) -> str:
    commit = place.propose(SOURCE)
    place.reviews().offer(offer(place))
    return commit


def test_what_was_never_put_up_is_not_found(place: Place) -> None:
    assert place.reviews().find(sought(place)) is None


def test_a_change_is_put_up_once_however_often_it_is_offered_and_by_whom(place: Place) -> None:
    commit = place.propose(SOURCE)
    first = place.reviews().offer(offer(place))
    assert place.reviews().offer(offer(place)) == first == place.reviews().find(sought(place))
    assert first.state is ReviewState.OPEN
    assert first.url
    assert [head.commit for head in first.heads] == [commit]
    assert first.merge is None


@pytest.mark.parametrize("way", WAYS)
def test_however_it_is_merged_the_merged_commit_holds_it(place: Place, way: str) -> None:
    put_up(place)
    seen = place.reviews()
    assert seen.find(sought(place))
    place.merge(SOURCE, way)
    assert (old := seen.find(sought(place)))
    assert old.state is ReviewState.OPEN, "what was read stays as it was read"
    found = place.reviews().find(sought(place))
    assert found
    assert found.state is ReviewState.MERGED
    assert found.merge
    assert place.content(found.merge.commit) == NEW
    nobody = way == "forward" and place.bob == "bob@x"
    assert (found.merge.by, found.merge.verified) == (("", False) if nobody else (place.bob, True))
    assert (found.merge.proof is None) is (nobody or place.bob == "bob")


def test_it_stays_merged_when_the_branch_is_gone(place: Place) -> None:
    put_up(place)
    place.merge(SOURCE, "merge")
    reviews = place.reviews()
    found = reviews.find(sought(place))
    assert found
    reviews.withdraw(found, sought(place))
    again = place.reviews().find(sought(place))
    assert again
    assert again.state is ReviewState.MERGED


def test_what_was_pushed_to_it_shows(place: Place) -> None:
    commit = put_up(place)
    edited = place.edit(SOURCE)
    found = place.reviews().find(sought(place))
    assert found
    assert found.state is ReviewState.OPEN
    assert found.heads[-1].commit == edited != commit


def test_one_that_was_closed_is_not_open_and_not_merged(place: Place) -> None:
    put_up(place)
    place.close(SOURCE)
    found = place.reviews().find(sought(place))
    if found is not None:  # plain Git knows nothing of a branch that is gone
        assert (found.state, found.closed_by, found.merge) == (ReviewState.CLOSED, place.bob, None)


def test_an_open_one_is_withdrawn_and_doing_it_again_does_nothing(place: Place) -> None:
    put_up(place)
    for _ in range(2):
        reviews = place.reviews()
        found = reviews.find(sought(place))
        if found is not None:
            reviews.withdraw(found, sought(place))
    last = place.reviews().find(sought(place), fresh=True)
    assert last is None or last.state is ReviewState.CLOSED


def test_no_answer_is_no_review_and_no_merge(place: Place) -> None:
    put_up(place)
    reviews = place.reviews()
    with place.away(), pytest.raises(OutsideError):
        reviews.find(sought(place), fresh=True)
