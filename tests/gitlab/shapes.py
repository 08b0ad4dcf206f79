"""How people, issues and comments look in JSON: with the fields of GitLab's own answers."""

from __future__ import annotations

from typing import Any

from tests.gitlab.call import Call, time
from tests.gitlab.site import Issue, Level, MergeRequest, Note, Project, User


def user(one: User, base: str) -> dict[str, Any]:
    """A person, in short."""
    return {
        "id": one.id,
        "username": one.username,
        "public_email": None,
        "name": one.name,
        "state": one.state,
        "locked": False,
        "avatar_url": None,
        "web_url": f"{base}/{one.username}",
    }


def member(one: User, level: Level, call: Call, *, since: Project | None = None) -> dict[str, Any]:
    """A person with what they may do; `since` is the project that tells for how long, if the path names none."""
    return user(one, call.base) | {
        "access_level": int(level),
        "created_at": time((since or call.project).created),
        "expires_at": None,
        "membership_state": "active",
    }


def issue(one: Issue, call: Call, project: Project | None = None) -> dict[str, Any]:
    """An issue, whole."""
    place = project or call.project
    url = f"{call.base}/{place.path}/-/issues/{one.iid}"
    people = [user(person, call.base) for person in one.assignees]
    return {
        "id": one.id,
        "iid": one.iid,
        "project_id": place.id,
        "title": one.title,
        "description": one.description,
        "state": one.state,
        "created_at": time(one.created),
        "updated_at": time(one.updated),
        "closed_at": time(one.closed),
        "closed_by": user(one.closed_by, call.base) if one.closed_by else None,
        "labels": sorted(one.labels),
        "milestone": None,
        "assignees": people,
        "assignee": people[0] if people else None,
        "author": user(one.author, call.base),
        "type": "ISSUE",
        "issue_type": "issue",
        "user_notes_count": sum(not note.system for note in one.notes),
        "merge_requests_count": 0,
        "upvotes": 0,
        "downvotes": 0,
        "due_date": one.due,
        "confidential": one.confidential,
        "discussion_locked": None,
        "web_url": url,
        "time_stats": {
            "time_estimate": 0,
            "total_time_spent": 0,
            "human_time_estimate": None,
            "human_total_time_spent": None,
        },
        "task_completion_status": {"count": 0, "completed_count": 0},
        "has_tasks": False,
        "_links": {
            "self": f"{call.base}/api/v4/projects/{place.id}/issues/{one.iid}",
            "notes": f"{call.base}/api/v4/projects/{place.id}/issues/{one.iid}/notes",
            "project": f"{call.base}/api/v4/projects/{place.id}",
        },
        "references": {"short": f"#{one.iid}", "relative": f"#{one.iid}", "full": f"{place.path}#{one.iid}"},
        "severity": "UNKNOWN",
        "subscribed": False,
        "moved_to_id": one.moved_to,
        "imported": False,
        "imported_from": "none",
        "service_desk_reply_to": None,
    }


_WHOLE_ONLY = {
    "_links", "has_tasks", "imported", "imported_from", "moved_to_id", "references", "service_desk_reply_to",
    "severity", "subscribed",
}  # fmt: skip


def issue_basic(one: Issue, call: Call, project: Project | None = None) -> dict[str, Any]:
    """An issue, in short."""
    return {name: value for name, value in issue(one, call, project).items() if name not in _WHOLE_ONLY}


def note(one: Note, on: Issue | MergeRequest, call: Call) -> dict[str, Any]:
    """A comment on an issue or merge request."""
    return {
        "id": one.id,
        "type": None,
        "body": one.body,
        "attachment": None,
        "author": user(one.author, call.base),
        "created_at": time(one.created),
        "updated_at": time(one.updated),
        "system": one.system,
        "noteable_id": on.id,
        "noteable_type": "Issue" if isinstance(on, Issue) else "MergeRequest",
        "project_id": call.project.id,
        "commit_id": None,
        "resolvable": False,
        "confidential": one.internal,
        "internal": one.internal,
        "imported": False,
        "imported_from": "none",
        "noteable_iid": on.iid,
        "commands_changes": {},
    }
