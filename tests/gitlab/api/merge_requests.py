"""Merge requests: opened, looked at, approved, merged."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from tests.gitlab import shapes
from tests.gitlab.answers import Answer, RefusedError, bad, not_found
from tests.gitlab.call import Call, on, time
from tests.gitlab.deliveries import tell
from tests.gitlab.marks import relabel
from tests.gitlab.paging import paged
from tests.gitlab.payloads import merge_request_event
from tests.gitlab.pushing import pushed, rule_for, version
from tests.gitlab.quick_actions import extract
from tests.gitlab.repository import GitError, Repository
from tests.gitlab.site import Issue, Level, MergeRequest, Rule, Tier, User


def shape(one: MergeRequest, call: Call) -> dict[str, Any]:
    """A merge request as GitLab shows it."""
    place = call.project
    conflicts = one.state == "opened" and not _mergeable(call, one)
    people = [shapes.user(person, call.base) for person in one.assignees]
    return {
        "id": one.id,
        "iid": one.iid,
        "project_id": place.id,
        "title": one.title,
        "description": one.description,
        "state": one.state,
        "created_at": time(one.created),
        "updated_at": time(one.updated),
        "merged_by": shapes.user(one.merged_by, call.base) if one.merged_by else None,
        "merge_user": shapes.user(one.merged_by, call.base) if one.merged_by else None,
        "merged_at": time(one.merged),
        "closed_by": shapes.user(one.closed_by, call.base) if one.closed_by else None,
        "closed_at": time(one.closed),
        "target_branch": one.target,
        "source_branch": one.source,
        "user_notes_count": len(one.notes),
        "upvotes": 0,
        "downvotes": 0,
        "author": shapes.user(one.author, call.base),
        "assignees": people,
        "assignee": people[0] if people else None,
        "reviewers": [shapes.user(person, call.base) for person in one.reviewers],
        "source_project_id": place.id,
        "target_project_id": place.id,
        "labels": sorted(one.labels),
        "draft": one.title.startswith("Draft:"),
        "work_in_progress": one.title.startswith("Draft:"),
        "milestone": None,
        "merge_when_pipeline_succeeds": False,
        "merge_status": "cannot_be_merged" if conflicts else "can_be_merged",
        "detailed_merge_status": _standing(call, one, conflicts=conflicts),
        "sha": one.sha,
        "merge_commit_sha": one.merge_commit,
        "squash_commit_sha": one.squash_commit,
        "discussion_locked": None,
        "should_remove_source_branch": None,
        "force_remove_source_branch": False,
        "reference": f"!{one.iid}",
        "references": {"short": f"!{one.iid}", "relative": f"!{one.iid}", "full": f"{place.path}!{one.iid}"},
        "web_url": f"{call.base}/{place.path}/-/merge_requests/{one.iid}",
        "squash": False,
        "task_completion_status": {"count": 0, "completed_count": 0},
        "has_conflicts": conflicts,
        "blocking_discussions_resolved": True,
        "diff_refs": {"base_sha": one.base, "head_sha": one.sha, "start_sha": one.base},
        "user": {"can_merge": _may_merge(call, one)},
    }


def row(one: MergeRequest, call: Call) -> dict[str, Any]:
    """A merge request as lists show it."""
    return {name: value for name, value in shape(one, call).items() if name not in {"diff_refs", "user"}}


def _standing(call: Call, one: MergeRequest, *, conflicts: bool) -> str:
    if one.state != "opened":
        return "not_open"
    if conflicts:
        return "conflict"
    return "not_approved" if _left(call, one) else "mergeable"


def _mergeable(call: Call, one: MergeRequest) -> bool:
    repository = Repository(call.project.folder)
    try:
        repository.git("merge-tree", "--write-tree", f"refs/heads/{one.target}", one.sha)
    except GitError:
        return False
    return True


def _may_merge(call: Call, one: MergeRequest) -> bool:
    rule = rule_for(call.project, one.target)
    least = rule.merge if rule else Level.DEVELOPER
    return least is not Level.NONE and call.level >= least


@on("GET", "/projects/{id}/merge_requests")
def merge_requests(call: Call) -> Answer:
    """The merge requests, newest first."""
    query = call.query
    rows = [
        one
        for one in call.project.merge_requests.values()
        if query.get("state", "all") in {"all", one.state}
        and query.get("source_branch", one.source) == one.source
        and query.get("target_branch", one.target) == one.target
    ]
    return paged(call, rows[::-1], lambda one: row(one, call))


@on("GET", "/projects/{id}/merge_requests/{merge_request_iid}")
def merge_request(call: Call) -> Answer:
    """One merge request."""
    return Answer(body=shape(call.merge_request, call))


@on("POST", "/projects/{id}/merge_requests")
def open_merge_request(call: Call) -> Answer:
    """Open one from a branch that is there."""
    call.needs(Level.DEVELOPER)
    project, repository = call.project, Repository(call.project.folder)
    source, target = call.text("source_branch"), call.text("target_branch")
    head, base = (repository.resolve(f"refs/heads/{name}") for name in (source, target))
    if head is None or base is None:
        raise bad({"validate_branches": [f"The {'source' if head is None else 'target'} branch does not exist"]})
    again = [one for one in project.merge_requests.values() if one.state == "opened"]
    if any((one.source, one.target) == (source, target) for one in again):
        raise RefusedError(409, ["Another open merge request already exists for this source branch"])
    now = call.now()
    one = MergeRequest(
        id=call.site.number(),
        iid=max(project.merge_requests, default=0) + 1,
        title=call.text("title"),
        description=extract(call.text("description", ""))[0],
        author=call.user,
        source=source,
        target=target,
        created=now,
        updated=now,
        assignees=call.people("assignee_ids") or [],
        reviewers=call.people("reviewer_ids") or [],
        sha=head,
        base=repository.git("merge-base", base, head),
    )
    project.merge_requests[one.iid] = one
    version(call, project, one)
    relabel(call, one, add=call.names("labels"))
    tell(call.site, project, "merge_requests", event=lambda: merge_request_event(one, call, action="open"))
    return Answer(status=201, body=shape(one, call))


@on("PUT", "/projects/{id}/merge_requests/{merge_request_iid}")
def change_merge_request(call: Call) -> Answer:
    """Change one; `state_event` closes it."""
    one = call.merge_request
    if call.user is not one.author:
        call.needs(Level.DEVELOPER)
    one.title = call.text("title", one.title)
    one.description = call.text("description", one.description)
    reviewers = call.people("reviewer_ids")
    one.reviewers = one.reviewers if reviewers is None else reviewers
    if call.given.get("state_event") == "close" and one.state == "opened":
        one.state, one.closed, one.closed_by = "closed", call.now(), call.user
    one.updated = call.now()
    tell(call.site, call.project, "merge_requests", event=lambda: merge_request_event(one, call, action="update"))
    return Answer(body=shape(one, call))


@on("PUT", "/projects/{id}/merge_requests/{merge_request_iid}/merge")
def merge(call: Call) -> Answer:
    """Merge it, by whom the target's protection lets, once the approvals are there."""
    one, project = call.merge_request, call.project
    if not _may_merge(call, one):
        raise RefusedError(401, "401 Unauthorized")
    if one.state != "opened" or _left(call, one):
        raise RefusedError(405, "405 Method Not Allowed")
    if call.given.get("sha", one.sha) != one.sha:
        raise RefusedError(409, f"SHA does not match HEAD of source branch: {one.sha}")
    repository = Repository(project.folder)
    before = repository.branches()
    message = (
        f"Merge branch '{one.source}' into '{one.target}'\n\n{one.title}\n\nSee merge request {project.path}!{one.iid}"
    )
    try:
        by = (call.user.name, call.user.email)
        _bring_in(repository, one, method=project.merge_method, squash=_asked(call), message=message, by=by)
    except GitError:
        raise RefusedError(422, "Branch cannot be merged") from None
    one.state, one.merged, one.merged_by, one.updated = "merged", call.now(), call.user, call.now()
    pushed(call, project, before)
    tell(call.site, project, "merge_requests", event=lambda: merge_request_event(one, call, action="merge"))
    return Answer(body=shape(one, call))


def _asked(call: Call) -> bool:
    """Whether one commit is to be made of all."""
    return call.given.get("squash") in {True, "true"}


def _bring_in(
    repository: Repository, one: MergeRequest, *, method: str, squash: bool, message: str, by: tuple[str, str]
) -> None:
    """Merge in one of GitLab's ways; a fast-forward leaves no commit of its own."""
    head = one.sha
    if squash:
        head = one.squash_commit = repository.squash(one.sha, one.target, message=one.title, by=by)
    if method == "ff":
        repository.forward(head, one.target)
    else:
        one.merge_commit = repository.merge(head, one.target, message=message, by=by)


@on("GET", "/projects/{id}/merge_requests/{merge_request_iid}/versions")
def versions(call: Call) -> Answer:
    """What its branch has held, newest first."""
    one = call.merge_request
    rows = [
        {
            "id": version.id,
            "head_commit_sha": version.head,
            "base_commit_sha": version.base,
            "start_commit_sha": version.base,
            "created_at": time(version.created),
            "merge_request_id": one.id,
            "state": "collected",
            "real_size": "1",
            "patch_id_sha": None,
        }
        for version in one.versions
    ]
    return paged(call, rows[::-1], lambda row: row)


@on("GET", "/projects/{id}/merge_requests/{merge_request_iid}/diffs")
def diffs(call: Call) -> Answer:
    """What it changes."""
    one = call.merge_request
    return paged(call, Repository(call.project.folder).diffs(one.base, one.sha), lambda row: row)


@on("GET", "/projects/{id}/merge_requests/{merge_request_iid}/closes_issues")
def closes_issues(call: Call) -> Answer:
    """The issues that its description closes."""
    words = call.merge_request.description.replace(",", " ").split()
    pairs = itertools.pairwise(words)
    numbers = {after[1:] for word, after in pairs if word.lower() in {"close", "closes", "fixes"} and after[:1] == "#"}
    return Answer(body=[shapes.issue(one, call) for one in _issues(call, numbers)])


@on("GET", "/projects/{id}/issues/{issue_iid}/related_merge_requests")
def related(call: Call) -> Answer:
    """The merge requests that mention the issue."""
    mark = f"#{call.issue.iid}"
    rows = [one for one in call.project.merge_requests.values() if mark in one.description.replace(",", " ").split()]
    return paged(call, rows, lambda one: row(one, call))


def _issues(call: Call, numbers: Iterable[str]) -> list[Issue]:
    found = [call.project.issues.get(int(number)) for number in numbers if number.isdigit()]
    return [one for one in found if one is not None and call.sees(one)]


def _left(call: Call, one: MergeRequest) -> list[Rule]:
    """The approval rules that are not met yet; on Free there are none."""
    if call.site.tier is not Tier.PREMIUM:
        return []
    return [
        rule
        for rule in call.project.rules.values()
        if sum(_counts(person, rule, one) for person in map(call.site.users.__getitem__, one.approvals)) < rule.required
    ]


def _counts(person: User, rule: Rule, one: MergeRequest) -> bool:
    return person is not one.author and (not rule.users or person in rule.users)


def approvals_shape(one: MergeRequest, call: Call) -> dict[str, Any]:
    """Who approved, and what is left."""
    left = _left(call, one)
    required = sum(rule.required for rule in call.project.rules.values()) if call.site.tier is Tier.PREMIUM else 0
    return {
        "id": one.id,
        "iid": one.iid,
        "project_id": call.project.id,
        "title": one.title,
        "description": one.description,
        "state": one.state,
        "created_at": time(one.created),
        "updated_at": time(one.updated),
        "merge_status": "can_be_merged",
        "approved": bool(one.approvals) if not required else not left,
        "approvals_required": required,
        "approvals_left": sum(rule.required for rule in left),
        "user_has_approved": call.user.id in one.approvals,
        "user_can_approve": call.user.id not in one.approvals and call.level >= Level.DEVELOPER,
        "approved_by": [
            {"user": shapes.user(call.site.users[number], call.base), "approved_at": time(at)}
            for number, at in one.approvals.items()
        ],
        "approval_rules_left": [{"id": rule.id, "name": rule.name, "rule_type": "regular"} for rule in left],
        "has_approval_rules": bool(call.project.rules),
    }


@on("GET", "/projects/{id}/merge_requests/{merge_request_iid}/approvals")
def approvals(call: Call) -> Answer:
    """Who approved, and what is left."""
    return Answer(body=approvals_shape(call.merge_request, call))


@on("POST", "/projects/{id}/merge_requests/{merge_request_iid}/approve")
def approve(call: Call) -> Answer:
    """Say yes to its newest commit."""
    one = call.merge_request
    if call.level < Level.DEVELOPER or call.user.id in one.approvals or one.state != "opened":
        raise RefusedError(401, "401 Unauthorized")
    if call.given.get("sha", one.sha) != one.sha:
        raise RefusedError(409, f"SHA does not match HEAD of source branch: {one.sha}")
    one.approvals[call.user.id] = call.now()
    tell(call.site, call.project, "merge_requests", event=lambda: merge_request_event(one, call, action="approved"))
    return Answer(status=201, body=approvals_shape(one, call))


@on("POST", "/projects/{id}/merge_requests/{merge_request_iid}/unapprove")
def unapprove(call: Call) -> Answer:
    """Take one's yes back."""
    if call.merge_request.approvals.pop(call.user.id, None) is None:
        raise not_found()
    return Answer(status=201)


@on("GET", "/projects/{id}/approval_rules")
def rules(call: Call) -> Answer:
    """The approval rules (Premium)."""
    if call.site.tier is not Tier.PREMIUM:
        raise not_found()
    return paged(call, list(call.project.rules.values()), lambda one: _rule(one, call))


@on("POST", "/projects/{id}/approval_rules")
def make_rule(call: Call) -> Answer:
    """Make an approval rule (Premium)."""
    call.needs(Level.MAINTAINER)
    if call.site.tier is not Tier.PREMIUM:
        raise not_found()
    required = int(call.text("approvals_required"))
    one = Rule(id=call.site.number(), name=call.text("name"), required=required, users=call.people("user_ids") or [])
    call.project.rules[one.id] = one
    return Answer(status=201, body=_rule(one, call))


def _rule(one: Rule, call: Call) -> dict[str, Any]:
    people = [shapes.user(person, call.base) for person in one.users]
    return {
        "id": one.id,
        "name": one.name,
        "rule_type": "regular",
        "report_type": None,
        "eligible_approvers": people,
        "approvals_required": one.required,
        "users": people,
        "groups": [],
        "contains_hidden_groups": False,
        "protected_branches": [],
        "applies_to_all_protected_branches": False,
    }
