"""Who may push what, and what follows from a push: hooks are told, merge requests get their new head."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from functools import partial

from tests.gitlab.call import Call
from tests.gitlab.deliveries import tell
from tests.gitlab.payloads import push_event
from tests.gitlab.repository import EMPTY, Repository
from tests.gitlab.site import Level, MergeRequest, Project, Protected, Site, User, Version

MOST_AT_ONCE = 3
"""Branches in one push above which GitLab sends no push hook at all."""


def rule_for(project: Project, branch: str) -> Protected | None:
    """The protection of a branch, if it has one; names may hold `*`."""
    return next((one for one in project.protected.values() if fnmatch.fnmatchcase(branch, one.name)), None)


def rules_for(project: Project, branch: str) -> list[Protected]:
    """Every protection that a branch has: where there are several, GitLab lets through what any of them does."""
    return [one for one in project.protected.values() if fnmatch.fnmatchcase(branch, one.name)]


def may_push(site: Site, project: Project, *, user: User, branch: str) -> bool:
    """Whether a user may move a branch forward."""
    level, rules = site.level(project, user), rules_for(project, branch)
    if level < Level.DEVELOPER or user.state != "active":
        return False
    if not rules:
        return True
    return any(user.id in rule.users or (rule.push is not Level.NONE and level >= rule.push) for rule in rules)


def protection(site: Site, project: Project, user: User) -> str:
    """The rules for one user, as the repository's hook reads them: a branch, may push, may force."""
    names = {*Repository(project.folder).branches(), *project.protected}
    lines = []
    for name in names:
        if rules := rules_for(project, name):
            allowed = may_push(site, project, user=user, branch=name)
            lines.append(f"{name} {'yes' if allowed else 'no'} {'yes' if any(one.force for one in rules) else 'no'}")
    return "\n".join(lines)


def version(call: Call, project: Project, request: MergeRequest) -> None:
    """Keep what the branch holds now."""
    if not request.sha:
        return
    base = Repository(project.folder).git("merge-base", f"refs/heads/{request.target}", request.sha)
    made = Version(id=call.site.number(), head=request.sha, base=base, created=call.now())
    request.versions.append(made)


def pushed(call: Call, project: Project, before: Mapping[str, str]) -> None:
    """Let follow what follows from branches that have moved."""
    after = Repository(project.folder).branches()
    moved = [name for name in {*before, *after} if before.get(name) != after.get(name)]
    for request in project.merge_requests.values():
        if request.state == "opened" and request.source in moved:
            request.sha, request.updated = after.get(request.source, ""), call.now()
            request.approvals.clear()
            version(call, project, request)
    if len(moved) > MOST_AT_ONCE:
        return
    for name in moved:
        old, new = before.get(name, EMPTY), after.get(name, EMPTY)
        tell(call.site, project, "push", event=partial(push_event, call, project, branch=name, span=(old, new)))
