"""Branches, files and commits over the API."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from tests.gitlab.answers import Answer, RefusedError, bad, forbidden, not_found
from tests.gitlab.call import Call, on
from tests.gitlab.paging import paged
from tests.gitlab.pushing import may_push, pushed, rule_for
from tests.gitlab.repository import Repository, decoded
from tests.gitlab.site import Level


def _repository(call: Call, *, least: Level = Level.REPORTER) -> Repository:
    if call.level < least:
        raise forbidden()
    return Repository(call.project.folder)


def _url(call: Call) -> str:
    return f"{call.base}/{call.project.path}"


@on("GET", "/projects/{id}/repository/branches")
def branches(call: Call) -> Answer:
    """Every branch."""
    rows = sorted(_repository(call).branches().items())
    return paged(call, rows, lambda one: _branch(call, *one))


@on("GET", "/projects/{id}/repository/branches/{branch}")
def branch(call: Call) -> Answer:
    """One branch."""
    sha = _repository(call).branches().get(call.parts["branch"])
    if sha is None:
        raise not_found("Branch")
    return Answer(body=_branch(call, call.parts["branch"], sha))


@on("POST", "/projects/{id}/repository/branches")
def make_branch(call: Call) -> Answer:
    """Make a branch at a commit."""
    repository = _repository(call, least=Level.DEVELOPER)
    name, start = call.text("branch"), repository.resolve(call.text("ref"))
    before = repository.branches()
    if start is None or name in before:
        raise bad("Branch already exists" if name in before else "Invalid reference name")
    repository.git("update-ref", f"refs/heads/{name}", start)
    pushed(call, call.project, before)
    return Answer(status=201, body=_branch(call, name, start))


@on("DELETE", "/projects/{id}/repository/branches/{branch}")
def remove_branch(call: Call) -> Answer:
    """Remove a branch that is not protected."""
    repository = _repository(call, least=Level.DEVELOPER)
    name, before = call.parts["branch"], repository.branches()
    if name not in before:
        raise not_found("Branch")
    if rule_for(call.project, name):
        raise forbidden()
    repository.git("update-ref", "-d", f"refs/heads/{name}")
    pushed(call, call.project, before)
    return Answer(status=204)


def _branch(call: Call, name: str, sha: str) -> dict[str, Any]:
    rule = rule_for(call.project, name)
    return {
        "name": name,
        "commit": Repository(call.project.folder).commit(sha, url=_url(call)),
        "merged": False,
        "protected": rule is not None,
        "developers_can_push": rule is not None and Level.NONE < rule.push <= Level.DEVELOPER,
        "developers_can_merge": rule is not None and Level.NONE < rule.merge <= Level.DEVELOPER,
        "can_push": may_push(call.site, call.project, user=call.user, branch=name),
        "default": name == call.project.default_branch,
        "web_url": f"{_url(call)}/-/tree/{name}",
    }


@on("GET", "/projects/{id}/repository/files/{file_path}")
def file(call: Call) -> Answer:
    """A file with its content."""
    repository, path = _repository(call), call.parts["file_path"]
    commit = repository.resolve(call.text("ref", "HEAD"))
    data = repository.read(commit, path) if commit else None
    if commit is None or data is None:
        raise not_found("File")
    body = {
        "file_name": path.rpartition("/")[2],
        "file_path": path,
        "size": len(data),
        "encoding": "base64",
        "content": base64.b64encode(data).decode(),
        "content_sha256": hashlib.sha256(data).hexdigest(),
        "ref": call.text("ref", "HEAD"),
        "blob_id": repository.git("rev-parse", f"{commit}:{path}"),
        "commit_id": commit,
        "last_commit_id": repository.git("log", "-1", "--format=%H", commit, "--", path),
        "execute_filemode": False,
    }
    return Answer(body=body)


@on("GET", "/projects/{id}/repository/files/{file_path}/raw")
def raw_file(call: Call) -> Answer:
    """A file's bytes."""
    repository = _repository(call)
    commit = repository.resolve(call.text("ref", "HEAD"))
    data = repository.read(commit, call.parts["file_path"]) if commit else None
    if data is None:
        raise not_found("File")
    return Answer(body=data, media="application/octet-stream")


@on("GET", "/projects/{id}/repository/commits/{sha}")
def commit(call: Call) -> Answer:
    """One commit."""
    repository = _repository(call)
    sha = repository.resolve(call.parts["sha"])
    if sha is None:
        raise not_found("Commit")
    return Answer(body=repository.commit(sha, url=_url(call)) | {"project_id": call.project.id})


@on("POST", "/projects/{id}/repository/commits")
def make_commit(call: Call) -> Answer:
    """Commit several changes at once; `start_branch` is where a new branch begins."""
    repository = _repository(call, least=Level.DEVELOPER)
    name, before = call.text("branch"), repository.branches()
    start = call.text("start_branch", name)
    if not may_push(call.site, call.project, user=call.user, branch=name):
        raise RefusedError(403, "You are not allowed to push into this branch")
    if name in before and "start_branch" in call.given and not call.flag("force"):
        raise bad(f"A branch called '{name}' already exists. Switch to that branch in order to make changes")
    changes = _changes(call, repository, at=before.get(start, before.get(name, "")))
    who = (call.user.name, call.user.email)
    made = repository.write(name, changes, start=start, message=call.text("commit_message"), by=who)
    pushed(call, call.project, before)
    body = repository.commit(made, url=_url(call)) | {"project_id": call.project.id}
    return Answer(status=201, body=body)


def _changes(call: Call, repository: Repository, *, at: str) -> dict[str, bytes | None]:
    changes: dict[str, bytes | None] = {}
    actions = call.given.get("actions")
    for action in actions if isinstance(actions, list) else []:
        path, kind = str(action.get("file_path", "")), action.get("action")
        there = bool(at) and repository.read(at, path) is not None
        if kind not in {"create", "update", "delete"} or path.startswith("/") or ".." in path.split("/"):
            raise bad("actions does not have a valid value")
        if there is (kind == "create"):
            wrong = "already exists" if there else "doesn't exist"
            raise bad(f"A file with this name {wrong}")
        content = decoded(str(action.get("content", "")), str(action.get("encoding", "text")))
        changes[path] = None if kind == "delete" else content
    if not changes:
        raise bad("actions is empty")
    return changes
