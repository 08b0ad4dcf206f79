"""What webhooks are told: bodies with at least the fields of GitLab's documented deliveries, with real content."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.gitlab.call import Call, time
from tests.gitlab.repository import EMPTY, Repository
from tests.gitlab.site import Issue, Job, MergeRequest, Note, Pipeline, Project, User

MOST_COMMITS = 20


def _user(one: User) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "username": one.username,
        "avatar_url": None,
        "email": "[REDACTED]",
    }


def _project(call: Call) -> dict[str, Any]:
    one = call.project
    url = f"{call.base}/{one.path}"
    namespace, _, name = one.path.rpartition("/")
    return {
        "id": one.id,
        "name": name,
        "description": "",
        "web_url": url,
        "avatar_url": None,
        "git_ssh_url": "",
        "git_http_url": f"{url}.git",
        "namespace": namespace,
        "visibility_level": 0,
        "path_with_namespace": one.path,
        "default_branch": one.default_branch,
        "ci_config_path": None,
        "homepage": url,
        "url": f"{url}.git",
        "ssh_url": "",
        "http_url": f"{url}.git",
    }


def _repository(call: Call) -> dict[str, Any]:
    url = f"{call.base}/{call.project.path}"
    return {
        "name": call.project.path.rpartition("/")[2],
        "url": "",
        "description": "",
        "homepage": url,
        "git_http_url": f"{url}.git",
        "git_ssh_url": "",
        "visibility_level": 0,
    }


def _labels(names: Collection[str], call: Call) -> list[dict[str, Any]]:
    return [
        {
            "id": call.project.labels[name],
            "title": name,
            "color": "#6699cc",
            "project_id": call.project.id,
            "created_at": time(call.project.created),
            "updated_at": time(call.project.created),
            "template": False,
            "description": None,
            "type": "ProjectLabel",
            "group_id": None,
        }
        for name in sorted(names)
    ]


def _spaced(moment: datetime) -> str:
    """The times of notes and issues are written this way in deliveries, unlike in the API."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _issue(one: Issue, call: Call) -> dict[str, Any]:
    nothing = (
        "updated_by_id", "last_edited_at", "last_edited_by_id", "milestone_id", "discussion_locked", "moved_to_id",
        "duplicated_to_id", "human_total_time_spent", "human_time_estimate", "human_time_change", "weight",
        "health_status", "escalation_status", "escalation_policy", "branch_name",
    )  # fmt: skip
    return dict.fromkeys(nothing) | {
        "id": one.id,
        "iid": one.iid,
        "title": one.title,
        "description": one.description,
        "assignee_ids": [person.id for person in one.assignees],
        "assignee_id": one.assignees[0].id if one.assignees else None,
        "author_id": one.author.id,
        "project_id": call.project.id,
        "created_at": _spaced(one.created),
        "updated_at": _spaced(one.updated),
        "relative_position": 0,
        "position": 0,
        "state_id": 1 if one.state == "opened" else 2,
        "state": one.state,
        "confidential": one.confidential,
        "due_date": one.due,
        "time_estimate": 0,
        "total_time_spent": 0,
        "time_change": 0,
        "type": "Issue",
        "severity": "unknown",
        "url": f"{call.base}/{call.project.path}/-/issues/{one.iid}",
        "labels": _labels(one.labels, call),
    }


def issue_event(
    one: Issue, call: Call, *, action: str, labels_before: Collection[str] | None = None
) -> tuple[str, dict[str, Any]]:
    """An issue was opened, changed, closed or reopened."""
    changes = {}
    if labels_before is not None and set(labels_before) != set(one.labels):
        before, now = _labels(labels_before, call), _labels(one.labels, call)
        changes["labels"] = {"previous": before, "current": now}
    kind = "confidential_issue" if one.confidential else "issue"
    body = {
        "object_kind": "issue",
        "event_type": kind,
        "user": _user(call.user),
        "project": _project(call),
        "object_attributes": _issue(one, call) | {"action": action},
        "repository": _repository(call),
        "assignees": [_user(person) for person in one.assignees],
        "assignee": _user(one.assignees[0]) if one.assignees else None,
        "labels": _labels(one.labels, call),
        "changes": changes,
    }
    return ("Confidential Issue Hook" if one.confidential else "Issue Hook"), body


def note_event(
    one: Note, on: Issue | MergeRequest, call: Call, *, action: str = "create"
) -> tuple[str, dict[str, Any]]:
    """A comment was written or changed."""
    hidden = one.internal or (isinstance(on, Issue) and on.confidential)
    place = "issues" if isinstance(on, Issue) else "merge_requests"
    url = f"{call.base}/{call.project.path}/-/{place}/{on.iid}#note_{one.id}"
    body: dict[str, Any] = {
        "object_kind": "note",
        "event_type": "confidential_note" if hidden else "note",
        "user": _user(call.user),
        "project_id": call.project.id,
        "project": _project(call),
        "repository": _repository(call),
        "object_attributes": {
            "id": one.id,
            "note": one.body,
            "noteable_type": "Issue" if isinstance(on, Issue) else "MergeRequest",
            "author_id": one.author.id,
            "created_at": _spaced(one.created),
            "updated_at": _spaced(one.updated),
            "project_id": call.project.id,
            "attachment": None,
            "line_code": None,
            "commit_id": "",
            "noteable_id": on.id,
            "system": one.system,
            "st_diff": None,
            "internal": one.internal,
            "action": action,
            "url": url,
        },
    }
    if isinstance(on, Issue):
        body["issue"] = _issue(on, call)
    else:
        body["merge_request"] = _merge_request(on, call)
    return ("Confidential Note Hook" if hidden else "Note Hook"), body


def _merge_request(one: MergeRequest, call: Call) -> dict[str, Any]:
    nothing = (
        "last_edited_at", "last_edited_by_id", "milestone_id", "prepared_at", "human_total_time_spent",
        "human_time_change", "human_time_estimate",
    )  # fmt: skip
    return dict.fromkeys(nothing) | {
        "id": one.id,
        "iid": one.iid,
        "target_branch": one.target,
        "source_branch": one.source,
        "source_project_id": call.project.id,
        "target_project_id": call.project.id,
        "author_id": one.author.id,
        "assignee_ids": [person.id for person in one.assignees],
        "assignee_id": one.assignees[0].id if one.assignees else None,
        "reviewer_ids": [person.id for person in one.reviewers],
        "title": one.title,
        "description": one.description,
        "created_at": time(one.created),
        "updated_at": time(one.updated),
        "state_id": {"opened": 1, "closed": 2, "merged": 3}[one.state],
        "state": one.state,
        "blocking_discussions_resolved": True,
        "work_in_progress": False,
        "draft": False,
        "first_contribution": False,
        "merge_status": "can_be_merged",
        "detailed_merge_status": "mergeable",
        "total_time_spent": 0,
        "time_change": 0,
        "url": f"{call.base}/{call.project.path}/-/merge_requests/{one.iid}",
        "source": _project(call),
        "target": _project(call),
        "last_commit": _commit(one.sha, call),
        "merge_commit_sha": one.merge_commit,
        "labels": _labels(one.labels, call),
    }


def merge_request_event(one: MergeRequest, call: Call, *, action: str) -> tuple[str, dict[str, Any]]:
    """A merge request was opened, changed, approved or merged."""
    body = {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": _user(call.user),
        "project": _project(call),
        "repository": _repository(call),
        "object_attributes": _merge_request(one, call) | {"action": action},
        "labels": _labels(one.labels, call),
        "changes": {},
        "assignees": [_user(person) for person in one.assignees],
        "reviewers": [_user(person) for person in one.reviewers],
    }
    return "Merge Request Hook", body


def _commit(sha: str, call: Call) -> dict[str, Any] | None:
    repository = Repository(call.project.folder)
    if not sha or repository.resolve(sha) is None:
        return None
    one = repository.commit(sha)
    return {
        "id": one["id"],
        "message": one["message"],
        "title": one["title"],
        "timestamp": one["committed_date"],
        "url": f"{call.base}/{call.project.path}/-/commit/{sha}",
        "author": {"name": one["author_name"], "email": one["author_email"]},
    }


def push_event(call: Call, project: Project, *, branch: str, span: tuple[str, str]) -> tuple[str, dict[str, Any]]:
    """A branch was moved, made or removed."""
    before, after = span
    repository = Repository(project.folder)
    new = after.strip("0") != ""
    span_of = ([after] if before == EMPTY else [f"{before}..{after}"]) if new else []
    shas: Sequence[str] = repository.git("rev-list", *span_of).splitlines() if span_of else []
    body = {
        "object_kind": "push",
        "event_name": "push",
        "before": before,
        "after": after,
        "ref": f"refs/heads/{branch}",
        "ref_protected": branch in project.protected,
        "checkout_sha": after if new else None,
        "message": None,
        "user_id": call.user.id,
        "user_name": call.user.name,
        "user_username": call.user.username,
        "user_email": "",
        "user_avatar": None,
        "project_id": project.id,
        "project": _project(call),
        "repository": _repository(call),
        "commits": [
            (_commit(sha, call) or {}) | {"added": [], "modified": [], "removed": []} for sha in shas[:MOST_COMMITS]
        ],
        "total_commits_count": len(shas),
    }
    return "Push Hook", body


def pipeline_event(one: Pipeline, call: Call) -> tuple[str, dict[str, Any]]:
    """A pipeline changed its state."""
    builds = [
        {
            "id": job.id,
            "stage": job.stage,
            "name": job.name,
            "status": job.status,
            "created_at": _spaced(job.created),
            "started_at": _spaced(job.started) if job.started else None,
            "finished_at": _spaced(job.finished) if job.finished else None,
            "duration": None,
            "queued_duration": None,
            "failure_reason": job.failure,
            "when": "on_success",
            "manual": False,
            "allow_failure": False,
            "user": _user(one.user),
            "runner": None,
            "artifacts_file": {"filename": None, "size": None},
            "environment": None,
        }
        for job in one.jobs
    ]
    body = {
        "object_kind": "pipeline",
        "object_attributes": {
            "id": one.id,
            "iid": one.iid,
            "name": None,
            "ref": one.ref,
            "tag": False,
            "sha": one.sha,
            "before_sha": EMPTY,
            "source": one.source,
            "status": one.status,
            "detailed_status": one.status,
            "stages": list(dict.fromkeys(job.stage for job in one.jobs)),
            "created_at": _spaced(one.created),
            "finished_at": None,
            "duration": None,
            "queued_duration": None,
            "variables": [{"key": key, "value": value} for key, value in one.variables.items()],
            "url": f"{call.base}/{call.project.path}/-/pipelines/{one.id}",
        },
        "merge_request": None,
        "user": _user(one.user),
        "project": _project(call),
        "commit": _commit(one.sha, call),
        "source_pipeline": None,
        "builds": builds,
    }
    return "Pipeline Hook", body


def job_event(job: Job, one: Pipeline, call: Call) -> tuple[str, dict[str, Any]]:
    """A job changed its state."""
    moments = {"created": job.created, "started": job.started, "finished": job.finished}
    times = {f"build_{name}_at": _spaced(at) if at else None for name, at in moments.items()}
    times |= {f"build_{name}_at_iso": time(at) for name, at in moments.items()}
    body = times | {
        "object_kind": "build",
        "ref": one.ref,
        "tag": False,
        "before_sha": EMPTY,
        "sha": one.sha,
        "build_id": job.id,
        "build_name": job.name,
        "build_stage": job.stage,
        "build_status": job.status,
        "build_duration": None,
        "build_queued_duration": None,
        "build_allow_failure": False,
        "build_failure_reason": job.failure or "unknown_failure",
        "retries_count": 0,
        "pipeline_id": one.id,
        "project_id": call.project.id,
        "project_name": call.project.path,
        "user": _user(one.user),
        "commit": _commit(one.sha, call),
        "repository": _repository(call),
        "project": _project(call),
        "runner": None,
        "environment": None,
        "source_pipeline": None,
    }
    return "Job Hook", body
