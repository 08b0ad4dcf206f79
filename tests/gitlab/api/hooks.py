"""Webhooks of a project."""

from __future__ import annotations

import json
import uuid
from typing import Any

from tests.gitlab.answers import Answer, RefusedError, bad, not_found
from tests.gitlab.call import Call, on, time
from tests.gitlab.deliveries import OUTBOXES, Delivery
from tests.gitlab.paging import paged
from tests.gitlab.payloads import push_event
from tests.gitlab.repository import EMPTY, Repository
from tests.gitlab.site import Hook, Level

EVENTS = (
    "push", "tag_push", "merge_requests", "repository_update", "issues", "confidential_issues", "note",
    "confidential_note", "pipeline", "wiki_page", "deployment", "feature_flag", "job", "releases", "milestone", "emoji",
    "resource_access_token", "resource_deploy_token", "vulnerability",
)  # fmt: skip


@on("GET", "/projects/{id}/hooks")
def hooks(call: Call) -> Answer:
    """Every webhook; maintainers only."""
    call.needs(Level.MAINTAINER)
    return paged(call, list(call.project.hooks.values()), lambda one: _shape(one, call))


@on("GET", "/projects/{id}/hooks/{hook_id}")
def hook(call: Call) -> Answer:
    """One webhook."""
    return Answer(body=_shape(_found(call), call))


@on("POST", "/projects/{id}/hooks")
def make_hook(call: Call) -> Answer:
    """Make one; the signing token is given once and never shown again."""
    call.needs(Level.MAINTAINER)
    url = call.text("url")
    if not url.startswith(("http://", "https://")):
        raise bad("Invalid url given")
    one = Hook(id=call.site.number(), url=url, events=frozenset(), created=call.now())
    call.project.hooks[one.id] = _changed(call, one, fresh=True)
    return Answer(status=201, body=_shape(one, call))


@on("PUT", "/projects/{id}/hooks/{hook_id}")
def change_hook(call: Call) -> Answer:
    """Change one."""
    one = _found(call)
    one.url = call.text("url", one.url)
    return Answer(body=_shape(_changed(call, one, fresh=False), call))


@on("DELETE", "/projects/{id}/hooks/{hook_id}")
def remove_hook(call: Call) -> Answer:
    """Remove one."""
    del call.project.hooks[_found(call).id]
    return Answer(status=204)


@on("GET", "/projects/{id}/hooks/{hook_id}/events")
def events(call: Call) -> Answer:
    """What was delivered, newest first."""
    one, outbox = _found(call), OUTBOXES[id(call.site)][0]
    sent = [(number, *row) for number, row in enumerate(outbox.sent) if row[0].hook is one]
    return paged(call, sent[::-1], lambda row: _event(*row))


@on("POST", "/projects/{id}/hooks/{hook_id}/test/{trigger}")
def try_hook(call: Call) -> Answer:
    """Deliver a sample of an event at once, whether the hook wants such events or not."""
    one, (outbox, base) = _found(call), OUTBOXES[id(call.site)]
    if call.parts["trigger"] != "push_events":
        raise RefusedError(501, "the stand-in makes samples of pushes alone")
    branch = call.project.default_branch
    head = Repository(call.project.folder).resolve(branch)
    if head is None:
        raise RefusedError(422, "Ensure the project has at least one commit.")
    name, body = push_event(call, call.project, branch=branch, span=(EMPTY, head))
    delivery = Delivery(id=str(uuid.uuid4()), hook=one, event=name, body=json.dumps(body).encode(), base=base)
    status = outbox.send(delivery)
    if not 200 <= status < 300:
        raise RefusedError(422, "Hook execution failed" if not status else f"Hook answered {status}")
    return Answer(status=201, body={"message": "201 Created"})


def _event(number: int, delivery: Delivery, status: int) -> dict[str, Any]:
    hidden = {"X-Gitlab-Token": "[REDACTED]"} if delivery.hook.token else {}
    return {
        "id": number,
        "url": delivery.hook.url,
        "trigger": f"{delivery.event.removesuffix(' Hook').lower().replace(' ', '_')}_hooks",
        "request_headers": {**delivery.headers(now=0.0), **hidden},
        "request_data": json.loads(delivery.body),
        "response_headers": {},
        "response_body": "",
        "execution_duration": 0.1,
        "response_status": str(status) if status else "internal error",
    }


def _changed(call: Call, one: Hook, *, fresh: bool) -> Hook:
    def wanted(kind: str) -> bool:
        before = f"{kind}_events" in one.events or (fresh and kind == "push")
        return call.flag(f"{kind}_events", default=before)

    one.events = frozenset(f"{kind}_events" for kind in EVENTS if wanted(kind))
    one.signing = call.text("signing_token", one.signing)
    one.token = call.text("token", one.token)
    one.verified = call.flag("enable_ssl_verification", default=one.verified)
    return one


def _found(call: Call) -> Hook:
    call.needs(Level.MAINTAINER)
    number = call.parts["hook_id"]
    found = call.project.hooks.get(int(number)) if number.isdigit() else None
    if found is None:
        raise not_found()
    return found


def _shape(one: Hook, call: Call) -> dict[str, Any]:
    return {f"{kind}_events": f"{kind}_events" in one.events for kind in EVENTS} | {
        "id": str(one.id),
        "url": one.url,
        "name": None,
        "description": None,
        "created_at": time(one.created),
        "enable_ssl_verification": one.verified,
        "token_present": bool(one.token),
        "signing_token_present": bool(one.signing),
        "alert_status": "temporarily_disabled" if one.disabled_until else "executable",
        "disabled_until": None,
        "url_variables": [],
        "push_events_branch_filter": None,
        "branch_filter_strategy": "wildcard",
        "custom_webhook_template": None,
        "custom_headers": [],
        "project_id": str(call.project.id),
    }
