"""Protected branches, freeze periods, environments: what may be changed, and when."""

from __future__ import annotations

from typing import Any

from tests.gitlab.answers import Answer, RefusedError, forbidden, not_found
from tests.gitlab.call import Call, on, time
from tests.gitlab.paging import paged
from tests.gitlab.site import Freeze, Level, Protected, Tier

_WORDS = {Level.NONE: "No one", Level.DEVELOPER: "Developers + Maintainers", Level.MAINTAINER: "Maintainers"}


@on("GET", "/projects/{id}/protected_branches")
def protected_branches(call: Call) -> Answer:
    """Every protected branch, for everybody who may read the code."""
    call.needs(Level.REPORTER)
    return paged(call, list(call.project.protected.values()), _protected)


@on("GET", "/projects/{id}/protected_branches/{name}")
def protected_branch(call: Call) -> Answer:
    """One protected branch."""
    call.needs(Level.REPORTER)
    found = call.project.protected.get(call.parts["name"])
    if found is None:
        raise not_found()
    return Answer(body=_protected(found))


@on("POST", "/projects/{id}/protected_branches")
def protect(call: Call) -> Answer:
    """Protect a branch."""
    call.needs(Level.MAINTAINER)
    name = call.text("name")
    if name in call.project.protected:
        raise RefusedError(409, f"Protected branch '{name}' already exists")
    allowed = call.given.get("allowed_to_push") or []
    made = Protected(
        id=call.site.number(),
        name=name,
        push=Level(int(call.text("push_access_level", str(int(Level.MAINTAINER))))),
        merge=Level(int(call.text("merge_access_level", str(int(Level.MAINTAINER))))),
        force=call.flag("allow_force_push"),
        users=[int(one["user_id"]) for one in allowed if "user_id" in one] if call.site.tier is Tier.PREMIUM else [],
        owners=call.site.tier is Tier.PREMIUM and call.flag("code_owner_approval_required"),
    )
    call.project.protected[name] = made
    return Answer(status=201, body=_protected(made))


@on("PATCH", "/projects/{id}/protected_branches/{name}")
def change_protection(call: Call) -> Answer:
    """Let force pushes through or not; ask for code owners or not (Premium)."""
    call.needs(Level.MAINTAINER)
    found = call.project.protected.get(call.parts["name"])
    if found is None:
        raise not_found()
    found.force = call.flag("allow_force_push", default=found.force)
    found.owners = call.site.tier is Tier.PREMIUM and call.flag("code_owner_approval_required", default=found.owners)
    return Answer(body=_protected(found))


@on("DELETE", "/projects/{id}/protected_branches/{name}")
def unprotect(call: Call) -> Answer:
    """Take the protection away."""
    call.needs(Level.MAINTAINER)
    if call.project.protected.pop(call.parts["name"], None) is None:
        raise not_found()
    return Answer(status=204)


def _protected(one: Protected) -> dict[str, Any]:
    people = [
        {"id": number, "access_level": None, "access_level_description": "", "user_id": number, "group_id": None}
        for number in one.users
    ]
    return {
        "id": one.id,
        "name": one.name,
        "push_access_levels": [_access(one.id, one.push), *people],
        "merge_access_levels": [_access(one.id, one.merge)],
        "allow_force_push": one.force,
        "unprotect_access_levels": [],
        "code_owner_approval_required": one.owners,
        "inherited": False,
    }


def _access(number: int, level: Level) -> dict[str, Any]:
    words = _WORDS.get(level, level.name.title())
    plain = {"access_level": int(level), "access_level_description": words}
    return {"id": number, **plain, "deploy_key_id": None, "user_id": None, "group_id": None}


@on("GET", "/projects/{id}/freeze_periods")
def freeze_periods(call: Call) -> Answer:
    """Every freeze period."""
    call.needs(Level.REPORTER)
    return paged(call, list(call.project.freezes.values()), _freeze)


@on("POST", "/projects/{id}/freeze_periods")
def freeze(call: Call) -> Answer:
    """Make one: two cron expressions."""
    call.needs(Level.MAINTAINER)
    made = Freeze(
        id=call.site.number(),
        start=call.text("freeze_start"),
        end=call.text("freeze_end"),
        zone=call.text("cron_timezone", "UTC"),
        created=call.now(),
    )
    call.project.freezes[made.id] = made
    return Answer(status=201, body=_freeze(made))


@on("DELETE", "/projects/{id}/freeze_periods/{freeze_period_id}")
def thaw(call: Call) -> Answer:
    """Remove one."""
    call.needs(Level.MAINTAINER)
    number = call.parts["freeze_period_id"]
    if not number.isdigit() or call.project.freezes.pop(int(number), None) is None:
        raise not_found("Freeze Period")
    return Answer(status=204)


def _freeze(one: Freeze) -> dict[str, Any]:
    return {
        "id": one.id,
        "freeze_start": one.start,
        "freeze_end": one.end,
        "cron_timezone": one.zone,
        "created_at": time(one.created),
        "updated_at": time(one.created),
    }


@on("GET", "/projects/{id}/environments")
def environments(call: Call) -> Answer:
    """Every environment."""
    call.needs(Level.REPORTER)
    wanted = call.query.get("name")
    rows = [one for one in call.project.environments.items() if wanted is None or one[0] == wanted]
    return paged(call, rows, lambda one: _environment(call, *one))


@on("POST", "/projects/{id}/environments")
def make_environment(call: Call) -> Answer:
    """Make one."""
    call.needs(Level.DEVELOPER)
    name = call.text("name")
    if name in call.project.environments:
        raise RefusedError(400, {"name": ["has already been taken"]})
    call.project.environments[name] = call.site.number()
    return Answer(status=201, body=_environment(call, name, call.project.environments[name]))


def _environment(call: Call, name: str, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "slug": name.replace("/", "-"),
        "external_url": None,
        "created_at": time(call.project.created),
        "updated_at": time(call.project.created),
        "tier": "other",
        "state": "available",
        "auto_stop_at": None,
        "description": None,
    }


@on("GET", "/projects/{id}/protected_environments")
def protected_environments(call: Call) -> Answer:
    """Every protected environment (Premium)."""
    _premium(call)
    return paged(call, list(call.project.protected_environments.values()), lambda one: one)


@on("POST", "/projects/{id}/protected_environments")
def protect_environment(call: Call) -> Answer:
    """Protect an environment (Premium)."""
    _premium(call)
    name = call.text("name")
    if name in call.project.protected_environments:
        raise RefusedError(409, f"Protected environment '{name}' already exists")
    made = {
        "name": name,
        "deploy_access_levels": call.given.get("deploy_access_levels") or [],
        "required_approval_count": int(call.given.get("required_approval_count") or 0),
        "approval_rules": call.given.get("approval_rules") or [],
    }
    call.project.protected_environments[name] = made
    return Answer(status=201, body=made)


def _premium(call: Call) -> None:
    call.needs(Level.MAINTAINER)
    if call.site.tier is not Tier.PREMIUM:
        raise forbidden()
