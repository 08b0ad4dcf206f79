"""What a project has for its jobs (runners and variables), and how its merge requests are approved."""

from __future__ import annotations

from typing import Any

from tests.gitlab.answers import Answer, forbidden, not_found
from tests.gitlab.call import Call, on
from tests.gitlab.paging import paged
from tests.gitlab.site import Level, Machine, Tier


@on("GET", "/projects/{id}/runners")
def runners(call: Call) -> Answer:
    """The runners of a project that have all these tags; for maintainers."""
    call.needs(Level.MAINTAINER)
    wanted, status = set(call.names("tag_list")), call.query.get("status")
    rows = [one for one in call.project.machines if wanted <= one.tags and status in {None, one.status}]
    return paged(call, rows, _runner)


@on("GET", "/runners/{id}")
def runner(call: Call) -> Answer:
    """One runner whole, for maintainers of a project that has it."""
    number = call.parts["id"]
    for project in call.site.projects.values():
        for one in project.machines:
            if str(one.id) == number:
                if call.site.level(project, call.user) < Level.MAINTAINER:
                    raise forbidden()
                more = {"tag_list": sorted(one.tags), "run_untagged": one.untagged, "locked": True}
                level = "ref_protected" if one.protected else "not_protected"
                return Answer(body=_runner(one) | more | {"access_level": level, "maximum_timeout": None})
    raise not_found()


def _runner(one: Machine) -> dict[str, Any]:
    return {
        "id": one.id,
        "description": one.description,
        "ip_address": "127.0.0.1",
        "active": not one.paused,
        "paused": one.paused,
        "is_shared": False,
        "runner_type": "project_type",
        "name": "gitlab-runner",
        "online": one.status == "online",
        "status": one.status,
    }


@on("GET", "/projects/{id}/variables")
def variables(call: Call) -> Answer:
    """The variables that jobs are given; for maintainers."""
    call.needs(Level.MAINTAINER)
    return paged(call, sorted(call.project.variables.items()), lambda one: _variable(*one))


def _variable(key: str, value: str) -> dict[str, Any]:
    plain = {"variable_type": "env_var", "key": key, "value": value, "hidden": False, "protected": True}
    return plain | {"masked": True, "raw": False, "environment_scope": "*", "description": None}


@on("GET", "/projects/{id}/approvals")
def approvals(call: Call) -> Answer:
    """How merge requests are approved (Premium)."""
    if call.site.tier is not Tier.PREMIUM:
        raise not_found()
    body = {
        "approvers": [],
        "approver_groups": [],
        "approvals_before_merge": 0,
        "reset_approvals_on_push": True,
        "selective_code_owner_removals": False,
        "disable_overriding_approvers_per_merge_request": True,
        "merge_requests_author_approval": call.project.author_approves,
        "merge_requests_disable_committers_approval": True,
        "require_password_to_approve": False,
        "require_reauthentication_to_approve": False,
    }
    return Answer(body=body)
