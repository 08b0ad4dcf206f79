"""Users, members, the version, the project itself."""

from __future__ import annotations

from typing import Any

from tests.gitlab import shapes
from tests.gitlab.answers import Answer, not_found
from tests.gitlab.call import Call, on, time
from tests.gitlab.paging import paged
from tests.gitlab.site import Level, Tier, User

VERSION = "19.5.0"


@on("GET", "/version")
def version(call: Call) -> Answer:
    """What this server is."""
    enterprise = call.site.tier is not Tier.FREE
    body = {"version": VERSION, "revision": "0000000000", "kas": {"enabled": False}, "enterprise": enterprise}
    return Answer(body=body)


@on("GET", "/user")
def me(call: Call) -> Answer:
    """Whose token it is."""
    own = {"bot": call.user.bot, "email": call.user.email}
    return Answer(body=shapes.user(call.user, call.base) | own)


@on("GET", "/personal_access_tokens/self")
def token(call: Call) -> Answer:
    """What the token is that asks."""
    one = call.token
    body = {
        "id": one.user.id,
        "name": one.name,
        "revoked": one.revoked,
        "created_at": time(call.now()),
        "description": None,
        "scopes": sorted(one.scopes),
        "user_id": one.user.id,
        "last_used_at": time(call.now()),
        "active": True,
        "expires_at": one.expires.isoformat() if one.expires else None,
    }
    return Answer(body=body)


@on("GET", "/users")
def users(call: Call) -> Answer:
    """Users by their names."""
    name = call.query.get("username")
    found = [one for one in call.site.users.values() if name is None or one.username.lower() == name.lower()]
    return paged(call, found, lambda one: shapes.user(one, call.base))


@on("GET", "/users/{id}")
def user(call: Call) -> Answer:
    """A user by id."""
    return Answer(body=shapes.user(_user(call, "id"), call.base))


@on("GET", "/projects/{id}")
def project(call: Call) -> Answer:
    """The project, with what the user may do in it."""
    one, level = call.project, call.level
    namespace, _, name = one.path.rpartition("/")
    url = f"{call.base}/{one.path}"
    body: dict[str, Any] = {
        "id": one.id,
        "name": name,
        "name_with_namespace": f"{namespace} / {name}",
        "path": name,
        "path_with_namespace": one.path,
        "description": None,
        "created_at": time(one.created),
        "default_branch": one.default_branch,
        "http_url_to_repo": f"{url}.git",
        "ssh_url_to_repo": "",
        "web_url": url,
        "visibility": "private",
        "issues_enabled": True,
        "merge_requests_enabled": True,
        "open_issues_count": sum(issue.state == "opened" for issue in one.issues.values()),
        "permissions": {"project_access": {"access_level": int(level), "notification_level": 3}, "group_access": None},
    }
    return Answer(body=body)


@on("GET", "/projects/{id}/members/all")
def all_members(call: Call) -> Answer:
    """Everybody who is a member, also through the group."""
    project = call.project
    wanted = call.query.get("query", "").lower()
    people = [one for one in call.site.people(project) if wanted in one.username.lower()]
    return paged(call, people, lambda one: shapes.member(one, call.site.level(project, one), call))


@on("GET", "/groups/{id}/members/all")
def group_members(call: Call) -> Answer:
    """Everybody who is a member of a group; one that the user has nothing to do with is not there."""
    name, site = call.parts["id"], call.site
    group = next((one for one in site.groups.values() if name in {str(one.id), one.path}), None)
    places = [one for one in site.projects.values() if one.group is group]
    if group is None or not any(site.level(one, call.user) is not Level.NONE for one in places):
        raise not_found("Group")
    levels, since = group.members, places[0]
    people = [site.users[one] for one in sorted(levels)]
    return paged(call, people, lambda one: shapes.member(one, levels[one.id], call, since=since))


@on("GET", "/projects/{id}/members")
def members(call: Call) -> Answer:
    """Those who are members of the project itself."""
    project = call.project
    people = [call.site.users[number] for number in sorted(project.members)]
    return paged(call, people, lambda one: shapes.member(one, project.members[one.id], call))


@on("GET", "/projects/{id}/members/all/{user_id}")
def any_member(call: Call) -> Answer:
    """One member; a user who is none is not there."""
    one, project = _user(call, "user_id"), call.project
    level = call.site.level(project, one)
    if level is Level.NONE:
        raise not_found()
    return Answer(body=shapes.member(one, level, call))


@on("DELETE", "/projects/{id}/members/{user_id}")
def remove_member(call: Call) -> Answer:
    """Take somebody out of the project."""
    call.needs(Level.MAINTAINER)
    if call.project.members.pop(_user(call, "user_id").id, None) is None:
        raise not_found()
    return Answer(status=204)


@on("PUT", "/projects/{id}/members/{user_id}")
def change_member(call: Call) -> Answer:
    """Give a member another level."""
    call.needs(Level.MAINTAINER)
    one, project = _user(call, "user_id"), call.project
    if one.id not in project.members:
        raise not_found()
    project.members[one.id] = Level(int(call.text("access_level")))
    return Answer(body=shapes.member(one, project.members[one.id], call))


def _user(call: Call, hole: str) -> User:
    number = call.parts[hole]
    found = call.site.users.get(int(number)) if number.isdigit() else None
    if found is None:
        raise not_found("User")
    return found
