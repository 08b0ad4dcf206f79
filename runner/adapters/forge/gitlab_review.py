"""Merge requests as the place of reviews, in the words of the port.

One is found by its source branch, which is named after the run: whoever looks again after a lost answer finds it, and
opens no second one. Who merged and who approved is GitLab's word. On Premium its own approval rules are read too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

from runner.adapters.forge import gitlab_rows as rows
from runner.adapters.gitlab_asking import Asking
from runner.ports.forge import PersonId
from runner.ports.review import NOBODY, Head, Merge, Offer, Review, ReviewId, ReviewState, Sought

Heads: TypeAlias = dict[tuple[int, str], tuple[Head, ...]]
_PAGE = 100
_STATES = {"opened": ReviewState.OPEN, "locked": ReviewState.OPEN, "merged": ReviewState.MERGED}


class GitLabReviews:
    """The `Reviews` port at one GitLab project.

    Args:
        asking: the client, with the token of whoever writes.
        project: the project, as python-gitlab knows it.
        bot: the runner's user name.
        heads: what this process has seen of open ones, by number and newest commit.
    """

    def __init__(self, asking: Asking, project: Any, *, bot: str, heads: Heads) -> None:
        self._asking, self._project, self._bot, self._heads = asking, project, bot, heads
        self._seen: dict[str, Review | None] = {}

    def find(self, sought: Sought, *, fresh: bool = False) -> Review | None:
        """Find the newest merge request from the branch that the runner itself opened.

        Raises:
            OutsideError: if GitLab does not answer.
        """
        if fresh or sought.source not in self._seen:
            self._seen[sought.source] = self._found(sought)
        return self._seen[sought.source]

    def _found(self, sought: Sought) -> Review | None:
        doing = f"looking for the merge request of {sought.source}"
        wanted = {"source_branch": sought.source, "target_branch": sought.into, "state": "all"}
        listed = self._asking.read(
            doing, lambda: self._project.mergerequests.list(get_all=True, per_page=_PAGE, **wanted)
        )
        # Anybody may open one from our branch: what they write in it is not what people were asked to review.
        own = [
            one
            for one in listed
            if one.author["username"] == self._bot
            and (one.source_branch, one.target_branch) == (sought.source, sought.into)
            and one.source_project_id == one.target_project_id
        ]
        if not own:
            return None
        # One that was merged stays the one, whatever was opened after it.
        merged = [one for one in own if one.state == "merged"]
        return self._review(max(merged or own, key=lambda one: int(one.iid)))

    def _review(self, found: Any) -> Review:
        state = _STATES.get(found.state, ReviewState.CLOSED)
        row = found.attributes
        review = Review(id=ReviewId(f"!{found.iid}"), url=str(found.web_url), state=state)
        if state is ReviewState.CLOSED:
            closed = self._whole(found) if "closed_by" not in row else row
            by = closed.get("closed_by")
            return replace(review, closed_by=_name(by), accounts=_accounts(by))
        if state is ReviewState.OPEN:
            # While it is open this only warns people early; what decides is read again once it is merged.
            place = (int(found.iid), str(found.sha))
            self._heads[place] = heads = self._heads.get(place) or self._pushed(found)
            return replace(review, heads=heads)
        said = self._asking.read(f"reading the approvals of !{found.iid}", found.approvals.get).attributes
        who = row.get("merge_user") or row.get("merged_by")
        people = [one["user"] for one in said.get("approved_by", ())]
        commit = row.get("merge_commit_sha") or row.get("squash_commit_sha") or row["sha"]
        return replace(
            review,
            heads=self._pushed(found),
            approved_by=tuple(PersonId(one["username"]) for one in people),
            merge=Merge(commit=str(commit), by=_name(who) or NOBODY, verified=who is not None),
            unmet=_unmet(said),
            accounts=_accounts(who, *people),
        )

    def _whole(self, found: Any) -> dict[str, Any]:
        iid, requests = found.iid, self._project.mergerequests
        return dict(self._asking.read(f"reading !{iid}", lambda: requests.get(iid)).attributes)

    def _pushed(self, found: Any) -> tuple[Head, ...]:
        """Every commit that was pushed to it, which GitLab keeps as versions of its diff."""
        versions = self._asking.read(
            f"reading the versions of !{found.iid}", lambda: found.diffs.list(get_all=True, per_page=_PAGE)
        )
        ordered = sorted(versions, key=lambda one: int(one.id))
        return tuple(Head(commit=one.head_commit_sha, base=one.base_commit_sha or "") for one in ordered)

    def offer(self, offer: Offer) -> Review:
        """Open a merge request, unless one from that branch is there; whose yes is asked for is made its reviewer.

        Raises:
            OperatorError: if the token may not.
            OutsideError: if GitLab does not answer.
        """
        found = self.find(offer.sought, fresh=True)
        if found is not None:
            return found
        doing = f"opening a merge request for {offer.sought.source}"
        given = {
            "source_branch": offer.sought.source,
            "target_branch": offer.sought.into,
            "title": rows.kept(offer.title, doing),
            "description": rows.kept(offer.description, doing),
            "remove_source_branch": True,
        }
        reviewers = self._numbers(offer.reviewers)
        given |= {"reviewer_ids": reviewers} if reviewers else {}
        self._asking.write(doing, lambda: self._project.mergerequests.create(given))
        made = self.find(offer.sought, fresh=True)
        return made or Review(id=ReviewId(""), url="", state=ReviewState.CLOSED)

    def _numbers(self, people: tuple[PersonId, ...]) -> list[int]:
        """The members' numbers, by which GitLab takes reviewers; who is none is left out."""
        if not people:
            return []
        ask = self._project.members_all.list
        members = self._asking.read("reading the members", lambda: ask(get_all=True, per_page=_PAGE))
        numbers = {one.username.casefold(): int(one.id) for one in members if one.state == "active"}
        return [numbers[name.casefold()] for name in people if name.casefold() in numbers]

    def withdraw(self, review: Review, sought: Sought) -> None:
        """Close an open merge request; its branch stays, since it is what people have looked at."""
        self._seen.pop(sought.source, None)
        if review.state is not ReviewState.OPEN:
            return
        iid, requests = int(review.id.removeprefix("!")), self._project.mergerequests
        self._asking.write(f"closing {review.id}", lambda: requests.update(iid, {"state_event": "close"}))


def _name(user: Any) -> PersonId | None:
    return PersonId(str(user["username"])) if user else None


def _accounts(*users: Any) -> dict[PersonId, str]:
    return {PersonId(str(one["username"])): str(one["id"]) for one in users if one}


def _unmet(said: dict[str, Any]) -> tuple[str, ...]:
    """What GitLab's own approval rules still ask for; on Free there are none."""
    left = int(said.get("approvals_left") or 0)
    if not left:
        return ()
    names = [str(one.get("name") or one.get("rule_type")) for one in said.get("approval_rules_left") or ()]
    which = f" ({', '.join(names)})" if names else ""
    return (f"GitLab's own approval rules{which} still ask for {left} more",)
